import { duration, topicName, z } from '../../../config/index.js';
import { keyTemplate } from '../key-template.js';
import { compileGlob } from './glob.js';

const glob = z
  .string()
  .min(1)
  .refine(isGlob, { error: 'has too many {…} alternatives: use more than one pattern' });

/** What a `file` source is asked. */
export const fileOptions = z
  .strictObject({
    include: z
      .array(glob)
      .min(1)
      .describe('Globs of the files to read: * ? [a-z] {a,b}, ** for any directories.'),
    exclude: z.array(glob).default([]).describe('Globs of files to leave out.'),
    topic: topicName().describe('Where the lines go.'),
    key: keyTemplate
      .default('{host}:{path}')
      .describe('Key of the records, with {host}, {path} and {name}; its lines stay in order.'),
    read_from: z
      .enum(['beginning', 'end'])
      .default('beginning')
      .describe('Where to begin with files that are there at the very first start.'),
    delimiter: z.string().min(1).default('\n').describe('What ends a line.'),
    max_line_bytes: z
      .int()
      .min(1)
      .max(100_000_000)
      .default(1_000_000)
      .describe(
        'Longer lines are sent in pieces. At most `producer.memory`; a record beyond the ' +
          'topic’s max.message.bytes is set aside (`dead_letter`).',
      ),
    partial_after: duration()
      .prefault('5s')
      .describe('A last line without its end is sent after so long without growth.'),
  })
  .describe(
    'Follows files through every kind of rotation, line by line. A `.gz` file is read once.',
  );

export type FileOptions = z.output<typeof fileOptions>;

function isGlob(pattern: string): boolean {
  try {
    compileGlob(pattern);
    return true;
  } catch {
    return false;
  }
}
