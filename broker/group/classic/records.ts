import { GroupMetadataKey, GroupMetadataValue, writePrefixed } from '../../../protocol/index.js';
import type { CoordinatorRecord } from '../records.js';
import type { GroupRecord } from './model.js';

/** What the key of a classic group's record begins with. */
export const GROUP_KEY = 2;
/** The version as Apache Kafka writes it. */
const GROUP_VALUE = 3;

/** The record of a group; null: its tombstone. */
export function groupToRecord(groupId: string, record: GroupRecord | null): CoordinatorRecord {
  return {
    key: writePrefixed(GroupMetadataKey, { group: groupId }, 0, GROUP_KEY),
    value: record === null ? null : writePrefixed(GroupMetadataValue, record, GROUP_VALUE),
  };
}
