import {
  OffsetCommitKey,
  OffsetCommitValue,
  readPrefixed,
  writePrefixed,
  ZERO_UUID,
} from '../../protocol/index.js';
import { BATCH_HEADER_BYTES, BatchWriter } from '../../protocol/records/index.js';
import type { CommittedOffset, OffsetEntry } from './committed-offsets.js';

/** What the keys of offsets in `__consumer_offsets` begin with; other kinds are the groups'. */
const LEGACY_OFFSET_KEY = 0;
const OFFSET_KEY = 1;

/** Versions of values as Apache Kafka writes them; 1 alone has an expiry, 4 has the topic id. */
const OFFSET_VALUE_WITH_EXPIRY = 1;
const OFFSET_VALUE = 3;
const OFFSET_VALUE_WITH_TOPIC_ID = 4;

/** More than lengths, deltas and attributes of a record ever take. */
const RECORD_OVERHEAD_BYTES = 32;
/** Batches are cut here, well below what a log accepts; a single record may be larger. */
const TARGET_BATCH_BYTES = 262_144;

/** A record of `__consumer_offsets`; a null value is a tombstone. */
export interface CoordinatorRecord {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

export function offsetToRecord(groupId: string, entry: OffsetEntry): CoordinatorRecord {
  const { topic, partition, value } = entry;
  const key = { group: groupId, topic, partition };
  return {
    key: writePrefixed(OffsetCommitKey, key, 0, OFFSET_KEY),
    value:
      value === null ? null : writePrefixed(OffsetCommitValue, value, offsetValueVersion(value)),
  };
}

/** Whether a key that begins so is that of an offset. */
export function isOffsetKey(prefix: number): boolean {
  return prefix === LEGACY_OFFSET_KEY || prefix === OFFSET_KEY;
}

/** What the record of an offset says. */
export function readOffset(
  key: Buffer,
  value: Buffer | null,
): { readonly groupId: string; readonly entry: OffsetEntry } {
  const { group, topic, partition } = OffsetCommitKey.read(key, 2, 0);
  const offset = value === null ? null : readPrefixed(OffsetCommitValue, value);
  return { groupId: group, entry: { topic, partition, value: offset } };
}

/** The records as batches, uncompressed. */
export function toBatches(records: readonly CoordinatorRecord[], now: number): Buffer[] {
  const batches: Buffer[] = [];
  let start = 0;
  while (start < records.length) {
    let sizeBytes = BATCH_HEADER_BYTES;
    let end = start;
    for (; end < records.length; end++) {
      const record = records[end];
      if (record === undefined || (end > start && sizeBytes >= TARGET_BATCH_BYTES)) break;
      sizeBytes += record.key.length + (record.value?.length ?? 0) + RECORD_OVERHEAD_BYTES;
    }
    batches.push(toBatch(records.slice(start, end), sizeBytes, now));
    start = end;
  }
  return batches;
}

function toBatch(records: readonly CoordinatorRecord[], capacityBytes: number, now: number) {
  const writer = new BatchWriter(capacityBytes);
  writer.reset();
  for (const { key, value } of records) {
    writer.tryAppend(now, key, 0, key.length, value, 0, value?.length ?? 0, null);
  }
  return writer.close({ codec: 'none', producerId: -1, producerEpoch: -1, baseSequence: -1 });
}

function offsetValueVersion(value: CommittedOffset): number {
  if (value.expireTimestamp >= 0) return OFFSET_VALUE_WITH_EXPIRY;
  return value.topicId === ZERO_UUID ? OFFSET_VALUE : OFFSET_VALUE_WITH_TOPIC_ID;
}

/** The longest text, in UTF-8, that a record of `__consumer_offsets` can hold. */
const MAX_TEXT_BYTES = 0x7fff;

/** Compact strings on the wire can be longer, and broken UTF-8 grows when it is read. */
export function isStorable(text: string): boolean {
  return text.length * 3 <= MAX_TEXT_BYTES || Buffer.byteLength(text) <= MAX_TEXT_BYTES;
}
