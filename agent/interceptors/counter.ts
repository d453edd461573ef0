import { z } from '../../config/index.js';
import { type InterceptorComponent, inSource } from './interceptor.js';

const schema = z
  .strictObject({
    name: z.string().min(1).default('records').describe('Label of the metrics.'),
  })
  .describe('Counts the records that were acknowledged and those that failed, as metrics.');

export const counter: InterceptorComponent<typeof schema> = {
  type: 'counter',
  schema,
  example: inSource('{ type: counter, name: app }'),
  create: ({ name }, { system, source }) => {
    const count = (result: 'success' | 'failure') =>
      system.metrics.counter(
        'logflume_agent_counter_records_total',
        'Records that reached a counter interceptor and were acknowledged or failed',
        { source, name, result },
      );
    const success = count('success');
    const failure = count('failure');
    return {
      onDelivered(records, succeeded): void {
        (succeeded ? success : failure).inc(records);
      },
    };
  },
};
