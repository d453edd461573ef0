import type { Component, OptionsSchema, z } from '../../config/index.js';
import type { Log, System } from '../../system/index.js';
import type { FailedRecords } from '../failed-records.js';
import type { Finding } from '../finding.js';
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

/**
 * What a source has done since it started, and what lies before it. Of figures that only its type
 * has, it says what it likes beside these.
 */
export interface SourceStatus {
  readonly type: string;
  /** Records handed to the producer (repeats count), and the bytes of their values. */
  readonly records: number;
  readonly bytes: number;
  /** Records acknowledged. */
  readonly acknowledged: number;
  /** Bytes that are there and not acknowledged yet. */
  readonly lagBytes: number;
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

/** A type of source: see `sources` for those that there are. */
export interface SourceComponent<Schema extends OptionsSchema = OptionsSchema>
  extends Component<Schema, SourceContext, Source> {
  /** Where it sends to. */
  topics(options: z.output<Schema>): readonly string[];
  /** The bytes of the largest record that it may send, and the name of the option that says so. */
  largestRecord(options: z.output<Schema>): { readonly option: string; readonly bytes: number };
  /** What it would find now, for `config test`. Starts and changes nothing. */
  outlook?(options: z.output<Schema>, system: System): readonly Finding[];
  /** Files, globs and directories of this machine that it reads. */
  reads?(options: z.output<Schema>): readonly string[];
  /** It keeps files open, as many as it is allowed: `SourceContext.maxOpenFiles`. */
  readonly opensManyFiles?: boolean;
}
