import { duration, oneOf, size, z } from '../../config/index.js';
import { compressionNames } from './compression.js';
import type { FormatComponent, Formats } from './formats/index.js';
import type { StoreComponent } from './stores/index.js';

const rotate = (formats: Formats) =>
  z
    .strictObject({
      size: size().prefault('128MiB').describe('Bytes of records after which files are cut.'),
      records: z.int().positive().optional().describe(recordsText(formats)),
      age: duration().prefault('10m').describe('Time after which files are cut.'),
      first: duration()
        .prefault('5s')
        .describe(
          '`age` of the first files after a start or a quiet time (of `age`), so that what is ' +
            'new is seen soon; it doubles with each cut, up to `age`. As long as `age`: none ' +
            'are early.',
        ),
      idle: duration().optional().describe('Time without new records after which files are cut.'),
    })
    .describe('When a partition is cut into files: by whichever comes first.');

function recordsText(formats: Formats): string {
  const own = [...formats].flatMap(([name, { cutRecords }]) =>
    cutRecords === undefined ? [] : [`for \`${name}\` ${cutRecords} where nothing is said`],
  );
  return `${['Records after which files are cut', ...own].join('; ')}.`;
}

/** Every `format:` that there is, with its words. */
function formatName(components: readonly FormatComponent[]) {
  return z
    .enum(components.map(({ type }) => type))
    .default('lines')
    .describe(components.map(({ type, schema }) => `\`${type}\`: ${schema.description}`).join(' '));
}

/** The options of `type: archive`, beside those of every sink. */
export const archiveOptions = (
  stores: readonly StoreComponent[],
  components: readonly FormatComponent[],
  formats: Formats,
) =>
  z
    .object({
      store: oneOf(stores, {}).describe('Where the archive lives.'),
      continues: z
        .string()
        .min(1)
        .optional()
        .describe(
          'The name under which this sink began its archive, where it was renamed since: it goes ' +
            'on there, and archives nothing twice.',
        ),
      format: formatName(components),
      file_per: z
        .enum(['key', 'partition'])
        .default('key')
        .describe('`key`: the records of a key (such as a source file) have files of their own.'),
      compression: z.enum(compressionNames).default('none').describe('How files are compressed.'),
      rotate: rotate(formats).prefault({}),
      max_bytes: size()
        .prefault('1GiB')
        .describe('Bytes spooled on local disk; beyond it the fullest partition is cut.'),
    })
    .describe('Writes topics into files, each record exactly once, whatever is killed whenever.');

export type ArchiveConfig = z.output<ReturnType<typeof archiveOptions>>;
