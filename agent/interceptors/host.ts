import { z } from '../../config/index.js';
import { type InterceptorComponent, inSource } from './interceptor.js';

const schema = z
  .strictObject({
    header: z.string().min(1).default('host').describe('Name of the header.'),
  })
  .describe('Adds the name of this machine as a header.');

export const host: InterceptorComponent<typeof schema> = {
  type: 'host',
  schema,
  example: inSource('{ type: host, header: host }'),
  create: ({ header }, { system }) => ({
    constantHeaders: [[header, Buffer.from(system.processes.hostname())]],
  }),
};
