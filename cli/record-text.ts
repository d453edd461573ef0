import { isUtf8 } from 'node:buffer';
import type { RecordCursor } from '../protocol/records/index.js';

/** A record as `--output json` prints it; what is not UTF-8 goes by `…_base64`. */
export interface PrintedRecord {
  readonly topic?: string;
  readonly partition?: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key?: string | null;
  readonly key_base64?: string;
  readonly value?: string | null;
  readonly value_base64?: string;
  readonly headers: readonly (readonly [string, string | null])[];
}

function printed(name: 'key' | 'value', bytes: Buffer | null): Record<string, string | null> {
  if (bytes === null) return { [name]: null };
  return isUtf8(bytes)
    ? { [name]: bytes.toString('utf8') }
    : { [`${name}_base64`]: bytes.toString('base64') };
}

/** The record on which the cursor stands. */
export function printedRecord(
  cursor: RecordCursor,
  where: { readonly topic?: string; readonly partition?: number },
): PrintedRecord {
  return {
    ...where,
    offset: cursor.offset,
    timestamp: cursor.timestamp,
    ...printed('key', cursor.key()),
    ...printed('value', cursor.value()),
    headers: cursor.headers().map(([name, value]) => [name, value?.toString('utf8') ?? null]),
  };
}
