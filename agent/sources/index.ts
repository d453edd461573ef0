import { z } from '../../config/index.js';
import type { System } from '../../system/index.js';
import type { Finding } from '../finding.js';
import { FileSource, fileOptions, fileOutlook } from './file/index.js';
import { MaildropSource, maildropOptions, maildropOutlook } from './maildrop/index.js';
import type { Source, SourceContext } from './source.js';

export type { Source, SourceContext, SourceStatus } from './source.js';

/** One source in the YAML; `type` says which. */
export const sourceOptions = z.discriminatedUnion('type', [fileOptions, maildropOptions]);

export type SourceOptions = z.output<typeof sourceOptions>;

/** Makes a source. Throws PositionsError where its stored positions cannot be understood. */
export function createSource(options: SourceOptions, context: SourceContext): Source {
  switch (options.type) {
    case 'file':
      return new FileSource(context, options);
    case 'maildrop':
      return new MaildropSource(context, options);
  }
}

/** What a source would find now. Starts and changes nothing. */
export function sourceOutlook(options: SourceOptions, system: System): Finding[] {
  switch (options.type) {
    case 'file':
      return fileOutlook(system, options);
    case 'maildrop':
      return maildropOutlook(system, options);
  }
}
