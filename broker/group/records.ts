import {
  GroupMetadataKey,
  GroupMetadataValue,
  OffsetCommitKey,
  OffsetCommitValue,
  prefixOf,
  readPrefixed,
  writePrefixed,
  ZERO_UUID,
} from '../../protocol/index.js';
import { BATCH_HEADER_BYTES, BatchWriter } from '../../protocol/records/index.js';
import type { GroupRecord } from './classic/index.js';
import type { CommittedOffset, OffsetEntry } from './committed-offsets.js';

/** Kinds of keys in `__consumer_offsets`. */
const LEGACY_OFFSET_KEY = 0;
const OFFSET_KEY = 1;
const GROUP_KEY = 2;

/** Versions of values as Apache Kafka writes them; 1 alone has an expiry, 4 has the topic id. */
const OFFSET_VALUE_WITH_EXPIRY = 1;
const OFFSET_VALUE = 3;
const OFFSET_VALUE_WITH_TOPIC_ID = 4;
const GROUP_VALUE = 3;

/** More than lengths, deltas and attributes of a record ever take. */
const RECORD_OVERHEAD_BYTES = 32;
/** Batches are cut here, well below what a log accepts; a single record may be larger. */
const TARGET_BATCH_BYTES = 262_144;

/** A record of `__consumer_offsets`; a null value is a tombstone. */
export interface CoordinatorRecord {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

/** What a record of `__consumer_offsets` says. */
export type StoredEntry =
  | ({ readonly kind: 'offset'; readonly groupId: string } & OffsetEntry)
  | { readonly kind: 'group'; readonly groupId: string; readonly record: GroupRecord | null };

export function offsetToRecord(groupId: string, entry: OffsetEntry): CoordinatorRecord {
  const { topic, partition, value } = entry;
  const key = { group: groupId, topic, partition };
  return {
    key: writePrefixed(OffsetCommitKey, key, 0, OFFSET_KEY),
    value:
      value === null ? null : writePrefixed(OffsetCommitValue, value, offsetValueVersion(value)),
  };
}

export function groupToRecord(groupId: string, record: GroupRecord | null): CoordinatorRecord {
  return {
    key: writePrefixed(GroupMetadataKey, { group: groupId }, 0, GROUP_KEY),
    value: record === null ? null : writePrefixed(GroupMetadataValue, record, GROUP_VALUE),
  };
}

/** Undefined for kinds of keys that later versions of Kafka have added. */
export function readRecord(key: Buffer, value: Buffer | null): StoredEntry | undefined {
  const kind = prefixOf(key);
  if (kind === LEGACY_OFFSET_KEY || kind === OFFSET_KEY) {
    const { group, topic, partition } = OffsetCommitKey.read(key, 2, 0);
    const offset = value === null ? null : readPrefixed(OffsetCommitValue, value);
    return { kind: 'offset', groupId: group, topic, partition, value: offset };
  }
  if (kind !== GROUP_KEY) return undefined;
  const { group } = GroupMetadataKey.read(key, 2, 0);
  // The reader's slices point into the log's chunk, which lives only until the next one.
  const owned = value === null ? null : Buffer.from(value);
  const record = owned === null ? null : readPrefixed(GroupMetadataValue, owned);
  return { kind: 'group', groupId: group, record };
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
