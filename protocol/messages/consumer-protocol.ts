import { array, bytes, int32, message, type Read, string } from '../codec/index.js';

/** What a member of a consumer group tells its leader; an int16 version precedes it. */
export const ConsumerSubscription = message(
  'ConsumerSubscription',
  { versions: [0, 3], flexibleFrom: 'none' },
  {
    topics: array(string),
    userData: bytes.nullable().default(null),
    ownedPartitions: array({ topic: string.since(1), partitions: array(int32).since(1) }).since(1),
    generationId: int32.since(2).default(-1),
    rackId: string.nullable().since(3).default(null),
  },
);
export type ConsumerSubscription = Read<typeof ConsumerSubscription>;

/** What the leader of a consumer group hands a member; an int16 version precedes it. */
export const ConsumerAssignment = message(
  'ConsumerAssignment',
  { versions: [0, 3], flexibleFrom: 'none' },
  {
    assignedPartitions: array({ topic: string, partitions: array(int32) }),
    userData: bytes.nullable().default(null),
  },
);
export type ConsumerAssignment = Read<typeof ConsumerAssignment>;
