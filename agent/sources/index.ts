import { fileSource } from './file/index.js';
import { maildropSource } from './maildrop/index.js';
import type { SourceComponent } from './source.js';

export type { Source, SourceComponent, SourceContext, SourceStatus } from './source.js';

/** Every type of source that comes with logflume. */
export const sources: readonly SourceComponent[] = [fileSource, maildropSource];
