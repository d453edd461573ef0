export type {
  Effect,
  GroupEvent,
  JoinEvent,
  JoinReply,
  LeaveReply,
  MemberClaim,
  Reply,
  SyncEvent,
  SyncReply,
  TimerName,
} from './events.js';
export {
  EMPTY_ASSIGNMENT,
  emptyGroup,
  type GroupRecord,
  type GroupSettings,
  type GroupState,
  metadataFor,
  restoredGroup,
} from './model.js';
export { step } from './step.js';
export { joinError } from './turn.js';
