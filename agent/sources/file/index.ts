import type { SourceComponent } from '../source.js';
import { FileSource } from './file-source.js';
import { fileOptions } from './options.js';
import { fileOutlook } from './outlook.js';

export { FileSource, fileOptions };

const example = `
kafka: { bootstrap: [logs.internal:9092] }
agent:
  sources:
    app:
      type: file
      include: [/var/log/app/*.log*, "/srv/*/logs/{access,error}.log*"] # rotated ones too
      exclude: [/var/log/app/debug.log*]
      topic: app-logs
      interceptors: [{ type: host }]
`;

/** `type: file`: lines of files. */
export const fileSource: SourceComponent<typeof fileOptions> = {
  type: 'file',
  schema: fileOptions,
  example: example,
  create: (options, context) => new FileSource(context, options),
  topics: ({ topic }) => [topic],
  largestRecord: ({ max_line_bytes: bytes }) => ({ option: 'max_line_bytes', bytes }),
  outlook: (options, system) => fileOutlook(system, options),
  reads: ({ include }) => include,
  opensManyFiles: true,
};
