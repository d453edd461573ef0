import { duration, secret, size, topicName, webUrl, z } from '../../config/index.js';
import { commonFields } from '../common-options.js';

const batch = z
  .strictObject({
    records: z.int().positive().default(500).describe('Records in a request, at most.'),
    bytes: size().prefault('1MiB').describe('Bytes of records in a request, at most.'),
    linger: duration().prefault('1s').describe('How long the first record of a request waits.'),
  })
  .describe('When records are sent: by whichever comes first.');

/** The options of `type: http`. */
export const httpSchema = z
  .strictObject({
    type: z.literal('http'),
    ...commonFields,
    url: webUrl().describe(
      'Where requests are sent with POST. `user:password@` in it becomes an `Authorization` ' +
        'header (Basic), unless `headers` has one; it is masked wherever the URL would be shown.',
    ),
    format: z
      .enum(['json', 'ndjson', 'lines'])
      .default('json')
      .describe('`json`: an array of records. `ndjson`: one record a line. `lines`: the values.'),
    headers: z
      .record(z.string(), secret())
      .default({})
      .describe('Headers of each request; their values are masked wherever they would be shown.'),
    batch: batch.prefault({}),
    timeout: duration().prefault('30s').describe('For one request and its answer.'),
    dead_letter: topicName()
      .optional()
      .describe(
        'Topic for records that the destination refuses while it accepts others; without it ' +
          'they block the sink.',
      ),
    dead_letter_limit: z
      .int()
      .min(2)
      .default(10)
      .describe(
        'So many records refused one after the other, none accepted in between, are held to be ' +
          'the fault of the destination: the sink stands still, and they stay in the topic.',
      ),
    max_bytes: size().prefault('64MiB').describe('Bytes of records held in memory, at most.'),
  })
  .describe('Sends records to an HTTP endpoint, at least once, with an Idempotency-Key.');

export type HttpConfig = z.output<typeof httpSchema>;
