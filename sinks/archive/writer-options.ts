import type { System } from '../../system/index.js';
import type { PartitionFeed } from '../feed.js';
import type { ChainConfig } from './claims/index.js';
import type { Formats } from './formats/index.js';
import type { LiveFiles } from './live-encoder.js';
import type { ChainId } from './names.js';
import type { Store } from './stores/index.js';

/** What the writers of one sink share, and what one of them is for. */
export interface WriterOptions {
  readonly system: Pick<System, 'clock' | 'disk' | 'log' | 'problems'>;
  readonly store: Store;
  /** Those of the settings and of claims that others left open. */
  readonly formats: Formats;
  readonly id: ChainId;
  readonly config: ChainConfig;
  readonly feed: PartitionFeed;
  /** Where a chain without claims and committed offset begins. */
  readonly from: 'earliest' | 'latest';
  /** On local disk, for this partition alone. */
  readonly spoolDirectory: string;
  readonly liveFiles: LiveFiles;
  /** After each claim that is complete in the store; bytes before compression. */
  readonly onArchived?: (records: number, bytes: number, files: number) => void;
}
