import { z } from '../../config/index.js';
import { type InterceptorComponent, inSource } from './interceptor.js';

const schema = z
  .strictObject({
    headers: z.record(z.string().min(1), z.string()).describe('Names and values of the headers.'),
  })
  .describe('Adds headers that are the same for every record.');

export const staticHeaders: InterceptorComponent<typeof schema> = {
  type: 'static',
  schema,
  example: inSource('{ type: static, headers: { env: prod, region: eu } }'),
  create: ({ headers }) => ({
    constantHeaders: Object.entries(headers).map(([name, value]) => [name, Buffer.from(value)]),
  }),
};
