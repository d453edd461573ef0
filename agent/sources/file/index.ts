import type { SourceComponent } from '../source.js';
import { FileSource } from './file-source.js';
import { fileOptions } from './options.js';
import { fileOutlook } from './outlook.js';

export { FileSource, fileOptions };

/** `type: file`: lines of files. */
export const fileSource: SourceComponent<typeof fileOptions> = {
  type: 'file',
  schema: fileOptions,
  create: (options, context) => new FileSource(context, options),
  topics: ({ topic }) => [topic],
  largestRecord: ({ max_line_bytes: bytes }) => ({ option: 'max_line_bytes', bytes }),
  outlook: (options, system) => fileOutlook(system, options),
  reads: ({ include }) => include,
  opensManyFiles: true,
};
