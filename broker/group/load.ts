import { batchesOf, RecordCursor } from '../../protocol/records/index.js';
import type { GroupRecord } from './classic/index.js';
import { CommittedOffsets } from './committed-offsets.js';
import type { OffsetsLog } from './offsets-log.js';
import { readRecord } from './records.js';

/** Largest batch we take apart, decompressed. Ours are far smaller. */
const MAX_BATCH_BYTES = 64 * 1024 * 1024;

/** What a partition of `__consumer_offsets` holds of one group. */
export interface StoredGroup {
  /** Null for one that has only ever stored offsets, or was deleted. */
  record: GroupRecord | null;
  readonly offsets: CommittedOffsets;
}

/** Plays a partition from its start: the last record of each key counts. By group id. */
export async function loadGroups(
  log: OffsetsLog,
  partition: number,
): Promise<Map<string, StoredGroup>> {
  const groups = new Map<string, StoredGroup>();
  const cursor = new RecordCursor();
  for await (const chunk of log.read(partition)) {
    for (const batch of batchesOf(chunk)) {
      if (batch.isControl) continue;
      cursor.open(chunk, batch.offset, MAX_BATCH_BYTES);
      while (cursor.next()) apply(groups, cursor.key(), cursor.value());
    }
  }
  for (const [groupId, { record, offsets }] of groups) {
    if (record === null && offsets.isEmpty) groups.delete(groupId);
  }
  return groups;
}

function apply(groups: Map<string, StoredGroup>, key: Buffer | null, value: Buffer | null): void {
  const entry = key === null ? undefined : readRecord(key, value);
  if (entry === undefined) return;
  let group = groups.get(entry.groupId);
  if (group === undefined) {
    group = { record: null, offsets: new CommittedOffsets() };
    groups.set(entry.groupId, group);
  }
  if (entry.kind === 'offset') group.offsets.apply(entry);
  else group.record = entry.record;
}
