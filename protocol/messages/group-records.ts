import { array, bytes, int32, int64, message, type Read, string, uuid } from '../codec/index.js';

/** Key of a committed offset in `__consumer_offsets`; the int16 0 or 1 precedes it. */
export const OffsetCommitKey = message(
  'OffsetCommitKey',
  { versions: [0, 0], flexibleFrom: 'none' },
  { group: string, topic: string, partition: int32 },
);
export type OffsetCommitKey = Read<typeof OffsetCommitKey>;

/** A committed offset; an int16 version precedes it. */
export const OffsetCommitValue = message(
  'OffsetCommitValue',
  { versions: [0, 4], flexibleFrom: 4 },
  {
    offset: int64,
    leaderEpoch: int32.since(3).default(-1),
    metadata: string,
    commitTimestamp: int64,
    expireTimestamp: int64.since(1).until(1).default(-1),
    topicId: uuid.since(4).tagged(0),
  },
);
export type OffsetCommitValue = Read<typeof OffsetCommitValue>;

/** Key of a group in `__consumer_offsets`; the int16 2 precedes it. */
export const GroupMetadataKey = message(
  'GroupMetadataKey',
  { versions: [0, 0], flexibleFrom: 'none' },
  { group: string },
);
export type GroupMetadataKey = Read<typeof GroupMetadataKey>;

const memberMetadata = {
  memberId: string,
  groupInstanceId: string.nullable().since(3).default(null),
  clientId: string,
  clientHost: string,
  rebalanceTimeout: int32.since(1).default(-1),
  sessionTimeout: int32,
  subscription: bytes,
  assignment: bytes,
};

/** A group and its members; an int16 version precedes it. */
export const GroupMetadataValue = message(
  'GroupMetadataValue',
  { versions: [0, 4], flexibleFrom: 4 },
  {
    protocolType: string,
    generation: int32,
    protocol: string.nullable(),
    leader: string.nullable(),
    currentStateTimestamp: int64.since(2).default(-1),
    members: array(memberMetadata),
  },
);
export type GroupMetadataValue = Read<typeof GroupMetadataValue>;
