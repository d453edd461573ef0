import { isUtf8 } from 'node:buffer';
import type { ByteWriter } from './byte-writer.js';
import { type RecordView, readRecordHeaders } from './record-view.js';

/** Where a record comes from, for its JSON. */
export interface RecordOrigin {
  readonly topic: string;
  readonly partition: number;
}

/**
 * Writes a record as one JSON object without line end: `{topic, partition, offset, timestamp, key,
 * value, headers}`. Bytes that are not UTF-8 stand as base64 under `key_base64` and
 * `value_base64`. Headers are an array, because names may repeat.
 */
export function writeRecordJson(out: ByteWriter, origin: RecordOrigin, record: RecordView): void {
  const { bytes, keyStart, keyEnd, valueStart, valueEnd } = record;
  out.text(
    `{"topic":${JSON.stringify(origin.topic)},"partition":${origin.partition},` +
      `"offset":${record.offset},"timestamp":${record.timestamp},`,
  );
  writeField(out, 'key', keyEnd < 0 ? null : bytes.subarray(keyStart, keyEnd));
  out.text(',');
  writeField(out, 'value', valueEnd < 0 ? null : bytes.subarray(valueStart, valueEnd));
  out.text(',"headers":[');
  const headers = readRecordHeaders(record);
  for (const [i, [name, value]] of headers.entries()) {
    out.text(`${i === 0 ? '' : ','}{"name":${JSON.stringify(name)},`);
    writeField(out, 'value', value);
    out.text('}');
  }
  out.text(']}');
}

function writeField(out: ByteWriter, name: string, value: Buffer | null): void {
  if (value === null) out.text(`"${name}":null`);
  else if (isUtf8(value)) out.text(`"${name}":${JSON.stringify(value.toString('utf8'))}`);
  else out.text(`"${name}_base64":"${value.toString('base64')}"`);
}
