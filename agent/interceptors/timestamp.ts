import { z } from '../../config/index.js';
import { type InterceptorComponent, inSource } from './interceptor.js';

const schema = z
  .strictObject({
    separator: z.string().default(' ').describe('What stands between the time and the value.'),
  })
  .describe(
    'Puts the time at which the record was read in front of its value, as milliseconds since ' +
      'the epoch. The archive then holds that too, and no longer just what was written.',
  );

export const timestamp: InterceptorComponent<typeof schema> = {
  type: 'timestamp',
  schema,
  example: inSource('{ type: timestamp, separator: " " }'),
  create: ({ separator }) => {
    let prefixedMs = -1;
    let prefix = Buffer.alloc(0);
    return {
      intercept(record): boolean {
        if (record.timestamp !== prefixedMs) {
          prefixedMs = record.timestamp;
          prefix = Buffer.from(`${prefixedMs}${separator}`);
        }
        record.prepend(prefix);
        return true;
      },
    };
  },
};
