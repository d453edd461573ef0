import { GroupMetadataKey, GroupMetadataValue, readPrefixed } from '../../../protocol/index.js';
import type { GroupHome, GroupKind, GroupReplay } from '../group.js';
import { ClassicGroup } from './classic-group.js';
import { type GroupRecord, restoredGroup } from './model.js';
import { GROUP_KEY } from './records.js';

/** The groups whose members assign partitions themselves: JoinGroup, SyncGroup and so on. */
export const classic: GroupKind<ClassicGroup> = {
  recordKeys: [GROUP_KEY],
  create: (groupId, home) => new ClassicGroup(groupId, home),
  owns: (group) => group instanceof ClassicGroup,
  replay: () => new Replay(),
};

class Replay implements GroupReplay {
  private readonly records = new Map<string, GroupRecord>();

  apply(key: Buffer, value: Buffer | null): void {
    const { group } = GroupMetadataKey.read(key, 2, 0);
    // What is read are slices, and the log's chunk lives only until the next one.
    if (value === null) this.records.delete(group);
    else this.records.set(group, readPrefixed(GroupMetadataValue, Buffer.from(value)));
  }

  *groups() {
    for (const [groupId, record] of this.records) {
      const make = (home: GroupHome) =>
        new ClassicGroup(groupId, home, restoredGroup(groupId, home.settings, record));
      yield [groupId, make] as const;
    }
  }
}
