import { duration, size, z } from '../../config/index.js';
import { commonFields } from '../common-options.js';
import { formats } from './formats/index.js';
import { storeSchema } from './store-options.js';

const rotate = z
  .strictObject({
    size: size().prefault('128MiB').describe('Bytes of records after which files are cut.'),
    records: z
      .int()
      .positive()
      .optional()
      .describe('Records after which files are cut; for `eml` 1000 where nothing is said.'),
    age: duration().prefault('10m').describe('Time after which files are cut.'),
    first: duration()
      .prefault('5s')
      .describe(
        '`age` of the first files after a start or a quiet time (of `age`), so that what is new ' +
          'is seen soon; it doubles with each cut, up to `age`. As long as `age`: none are early.',
      ),
    idle: duration().optional().describe('Time without new records after which files are cut.'),
  })
  .describe('When a partition is cut into files: by whichever comes first.');

/** The options of `type: archive`. */
export const archiveSchema = z
  .strictObject({
    type: z.literal('archive'),
    ...commonFields,
    store: storeSchema,
    continues: z
      .string()
      .min(1)
      .optional()
      .describe(
        'The name under which this sink began its archive, where it was renamed since: it goes ' +
          'on there, and archives nothing twice.',
      ),
    format: z
      .enum(['lines', 'jsonl', 'eml'])
      .default('lines')
      .describe(
        Object.values(formats)
          .map(({ name, doc }) => `\`${name}\`: ${doc}`)
          .join(' '),
      ),
    file_per: z
      .enum(['key', 'partition'])
      .default('key')
      .describe('`key`: the records of a key (such as a source file) have files of their own.'),
    compression: z
      .enum(['none', 'gzip', 'zstd'])
      .default('none')
      .describe('How files are compressed.'),
    rotate: rotate.prefault({}),
    max_bytes: size()
      .prefault('1GiB')
      .describe('Bytes spooled on local disk; beyond it the fullest partition is cut.'),
  })
  .describe('Writes topics into files, each record exactly once, whatever is killed whenever.');

export type ArchiveConfig = z.output<typeof archiveSchema>;
