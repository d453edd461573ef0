export {
  ClassicGroup,
  classic,
  type GroupState,
  type JoinRequest,
  refusal,
} from './classic/index.js';
export { CommittedOffsets, type OffsetEntry } from './committed-offsets.js';
export { type FoundGroup, GroupCoordinator } from './coordinator.js';
export type { Group, GroupKind, MemberClaim } from './group.js';
export type { OffsetsLog } from './offsets-log.js';
export { partitionOf } from './partition-of.js';
export { type CoordinatorSettings, defaultCoordinatorSettings } from './settings.js';
