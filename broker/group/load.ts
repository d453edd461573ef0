import { prefixOf } from '../../protocol/index.js';
import { batchesOf, RecordCursor } from '../../protocol/records/index.js';
import { CommittedOffsets } from './committed-offsets.js';
import type { Group, GroupHome, GroupKind } from './group.js';
import type { OffsetsLog } from './offsets-log.js';
import { isOffsetKey, readOffset } from './records.js';

/** Largest batch we take apart, decompressed. Ours are far smaller. */
const MAX_BATCH_BYTES = 64 * 1024 * 1024;

/** What a partition of `__consumer_offsets` holds of one group. */
export interface StoredGroup {
  /** Undefined for one that has only ever stored offsets, or was deleted. */
  readonly restore: ((home: GroupHome) => Group) | undefined;
  readonly offsets: CommittedOffsets;
}

/** Plays a partition from its start: the last record of each key counts. By group id. */
export async function loadGroups(
  log: OffsetsLog,
  partition: number,
  kinds: readonly GroupKind[],
): Promise<ReadonlyMap<string, StoredGroup>> {
  const replays = kinds.map((kind) => ({ keys: kind.recordKeys, replay: kind.replay() }));
  const offsets = new Map<string, CommittedOffsets>();
  const apply = (key: Buffer, value: Buffer | null) => {
    const prefix = prefixOf(key);
    if (isOffsetKey(prefix)) applyOffset(offsets, key, value);
    // Keys that later versions of Kafka have added say nothing here.
    else replays.find(({ keys }) => keys.includes(prefix))?.replay.apply(key, value);
  };
  const cursor = new RecordCursor();
  for await (const chunk of log.read(partition)) {
    for (const batch of batchesOf(chunk)) {
      if (batch.isControl) continue;
      cursor.open(chunk, batch.offset, MAX_BATCH_BYTES);
      while (cursor.next()) {
        const key = cursor.key();
        if (key !== null) apply(key, cursor.value());
      }
    }
  }
  const groups = new Map<string, StoredGroup>();
  for (const [groupId, committed] of offsets) {
    if (!committed.isEmpty) groups.set(groupId, { restore: undefined, offsets: committed });
  }
  for (const { replay } of replays) {
    for (const [groupId, restore] of replay.groups()) {
      groups.set(groupId, { restore, offsets: offsets.get(groupId) ?? new CommittedOffsets() });
    }
  }
  return groups;
}

function applyOffset(
  offsets: Map<string, CommittedOffsets>,
  key: Buffer,
  value: Buffer | null,
): void {
  const { groupId, entry } = readOffset(key, value);
  let committed = offsets.get(groupId);
  if (committed === undefined) {
    committed = new CommittedOffsets();
    offsets.set(groupId, committed);
  }
  committed.apply(entry);
}
