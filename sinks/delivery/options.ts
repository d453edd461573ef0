import { duration, size, topicName, z } from '../../config/index.js';

const batch = z
  .strictObject({
    records: z.int().positive().default(500).describe('Records in a request, at most.'),
    bytes: size().prefault('1MiB').describe('Bytes of records in a request, at most.'),
    linger: duration().prefault('1s').describe('How long the first record of a request waits.'),
  })
  .describe('When records are sent: by whichever comes first.');

/** What every destination is asked. */
export const deliveryFields = {
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
};

export type DeliveryOptions = z.output<z.ZodObject<typeof deliveryFields>>;
