import type { ByteWriter } from '../../byte-writer.js';
import type { RecordOrigin } from '../../record-json.js';
import type { RecordView } from '../../record-view.js';

/** How records become the content of files. One file per format; `formats/index.ts` lists them. */
export interface Format {
  /** As in the configuration. */
  readonly name: 'lines' | 'jsonl' | 'eml';
  /** One line for the documentation. */
  readonly doc: string;
  /** Of its files, without a dot. */
  readonly extension: string;
  /** Each record is a file of its own. */
  readonly isFilePerRecord: boolean;
  /** Puts one record behind those that are there. */
  write(out: ByteWriter, record: RecordView, origin: RecordOrigin): void;
  /**
   * Puts a record whose bytes are scratch to `at` of these, which is not behind its value, and
   * returns the end; undefined where that is left to `write`.
   */
  moveTo?(at: number, record: RecordView): number | undefined;
}
