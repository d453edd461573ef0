export type {
  Effect,
  GroupEvent,
  JoinEvent,
  JoinReply,
  LeaveReply,
  MemberClaim,
  PlainReply,
  Reply,
  SyncEvent,
  SyncReply,
  TimerName,
} from './events.js';
export {
  EMPTY_ASSIGNMENT,
  emptyGroup,
  type GroupPhase,
  type GroupRecord,
  type GroupSettings,
  type GroupState,
  type Member,
  metadataFor,
  restoredGroup,
} from './model.js';
export { step } from './step.js';
