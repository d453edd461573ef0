import type { Component, OptionsSchema } from '../../../config/index.js';
import type { ByteWriter } from '../../byte-writer.js';
import type { RecordOrigin } from '../../record-json.js';
import type { RecordView } from '../../record-view.js';

/**
 * How records become the content of files. The same records give the same bytes on any machine
 * and in any later version: what is claimed may be made again.
 */
export interface Format {
  /** Of its files, without a dot. */
  readonly extension: string;
  /** Each record is a file of its own. */
  readonly isFilePerRecord: boolean;
  /** Records after which a partition is cut where nothing is said; undefined: any number. */
  readonly cutRecords?: number;
  /** Puts one record behind those that are there. */
  write(out: ByteWriter, record: RecordView, origin: RecordOrigin): void;
  /**
   * Puts a record whose bytes are scratch to `at` of these, which is not behind its value, and
   * returns the end; undefined where that is left to `write`.
   */
  moveTo?(at: number, record: RecordView): number | undefined;
}

/** What a format is made with beside its options: nothing, as its bytes may not depend on it. */
export type FormatContext = Readonly<Record<never, never>>;

/**
 * A type of format: see `formats` for those that there are. Claims name it by `type`. The YAML
 * gives a format no options, so an empty mapping must pass `schema`, whose description says in one
 * line what its files hold.
 */
export type FormatComponent<Schema extends OptionsSchema = OptionsSchema> = Component<
  Schema,
  FormatContext,
  Format
>;
