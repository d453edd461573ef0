import type { Log, System } from '../../system/index.js';
import type { FailedRecords } from '../failed-records.js';
import type { InterceptorChain } from '../interceptors/index.js';
import type { SourcePositions } from '../positions.js';
import type { RecordProducer } from '../producer.js';

/** What a source may use. */
export interface SourceContext {
  readonly system: System;
  /** The source's name in the YAML. */
  readonly name: string;
  readonly log: Log;
  readonly producer: RecordProducer;
  readonly chain: InterceptorChain;
  /** Takes what is refused for itself. */
  readonly failedRecords: FailedRecords;
  readonly positions: SourcePositions;
  /** How many files this source may have open at a time. */
  readonly maxOpenFiles: number;
  /** The name of this machine, for keys. */
  readonly host: string;
}

/** What a source has done since it started, and what lies before it. */
export interface SourceStatus {
  readonly type: string;
  /** Records handed to the producer (repeats count), and the bytes of their values. */
  readonly records: number;
  readonly bytes: number;
  /** Records acknowledged. */
  readonly acknowledged: number;
  /** Files or mails at hand. */
  readonly files: number;
  /** Bytes that are there and not acknowledged yet. */
  readonly lagBytes: number;
  /** Lines that came into a file after its successor was begun. */
  readonly lateLines: number;
  /** Records that are no whole lines. */
  readonly partials: number;
  /** Mails moved to `failed/`. */
  readonly failed: number;
  /** Records refused for themselves and set aside. */
  readonly failedRecords: number;
}

/** Brings records from somewhere into topics. It never gives up; what fails is tried again. */
export interface Source {
  start(): Promise<void>;
  /** Sends all that is there now and resolves when it is acknowledged and remembered. */
  drain(): Promise<void>;
  /** Sentences that name what is there and not sent, such as a file that cannot be read. */
  unsent(): readonly string[];
  /** Stops at once; what is not acknowledged will be sent again. */
  stop(): Promise<void>;
  status(): SourceStatus;
}
