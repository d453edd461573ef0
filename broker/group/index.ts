export type { GroupState } from './classic/index.js';
export { CommittedOffsets, type OffsetEntry } from './committed-offsets.js';
export { GroupCoordinator, type JoinRequest } from './coordinator.js';
export { describeGroup } from './description.js';
export type { OffsetsLog } from './offsets-log.js';
export { partitionOf } from './partition-of.js';
export { type CoordinatorSettings, defaultCoordinatorSettings } from './settings.js';
