export type { GroupState, JoinReply, LeaveReply, MemberClaim, SyncReply } from './classic/index.js';
export type { CommittedOffset, OffsetEntry, TopicPartition } from './committed-offsets.js';
export { CommittedOffsets } from './committed-offsets.js';
export { GroupCoordinator, type JoinRequest, type SyncRequest } from './coordinator.js';
export { describeGroup, type GroupDescription } from './description.js';
export type { OffsetsLog } from './offsets-log.js';
export { partitionOf } from './partition-of.js';
export { type CoordinatorSettings, defaultCoordinatorSettings } from './settings.js';
