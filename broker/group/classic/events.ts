import type { MemberClaim } from '../group.js';
import type { GroupRecord, MemberProtocol } from './model.js';

/** A timer of a group. Starting one that runs replaces it. */
export type TimerName = 'join' | 'sync' | `session:${string}` | `pending:${string}`;

export interface JoinEvent {
  readonly type: 'join';
  readonly request: number;
  /** Empty for a member that has no id yet. */
  readonly memberId: string;
  /** The id that such a member is given: unique for ever. */
  readonly newMemberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly MemberProtocol[];
  /** A new dynamic member must first be told its id (KIP-394; JoinGroup 4 and later). */
  readonly requiresKnownMemberId: boolean;
  /** The client understands `skipAssignment` (KIP-814; JoinGroup 9 and later). */
  readonly knowsSkipAssignment: boolean;
}

export interface SyncEvent extends MemberClaim {
  readonly type: 'sync';
  readonly request: number;
  /** Null in requests before version 5, which are not checked. */
  readonly protocolType: string | null;
  readonly protocol: string | null;
  /** By member id; empty except from the leader. */
  readonly assignments: ReadonlyMap<string, Buffer>;
}

export interface LeaveEvent {
  readonly type: 'leave';
  readonly request: number;
  readonly members: readonly {
    readonly memberId: string;
    readonly groupInstanceId: string | null;
  }[];
}

/** What a store was for; comes back with its outcome. */
export type StoredPurpose =
  | { readonly what: 'assignment'; readonly generation: number }
  | { readonly what: 'static member'; readonly request: number; readonly reply: JoinReply }
  | { readonly what: 'deletion'; readonly request: number }
  | { readonly what: 'empty generation' };

/** What can happen to a group. `request` is an opaque number, answered exactly once. */
export type GroupEvent =
  | JoinEvent
  | SyncEvent
  | (MemberClaim & { readonly type: 'heartbeat'; readonly request: number })
  | (MemberClaim & { readonly type: 'commit'; readonly request: number })
  | LeaveEvent
  | { readonly type: 'delete'; readonly request: number }
  | { readonly type: 'timer'; readonly timer: TimerName }
  | { readonly type: 'stored'; readonly purpose: StoredPurpose; readonly errorCode: number }
  | { readonly type: 'restored' };

/** The answer to a JoinGroup request. */
export interface JoinReply {
  readonly kind: 'join';
  readonly errorCode: number;
  readonly memberId: string;
  readonly generation: number;
  readonly protocolType: string | null;
  readonly protocol: string | null;
  readonly leader: string;
  /** Only the leader is told who is in the group. */
  readonly members: readonly {
    readonly memberId: string;
    readonly groupInstanceId: string | null;
    readonly metadata: Buffer;
  }[];
  readonly skipAssignment: boolean;
}

/** The answer to a SyncGroup request. */
export interface SyncReply {
  readonly kind: 'sync';
  readonly errorCode: number;
  readonly protocolType: string | null;
  readonly protocol: string | null;
  readonly assignment: Buffer;
}

/** The answer to a LeaveGroup request: an error code per member, in the order asked. */
export interface LeaveReply {
  readonly kind: 'leave';
  readonly errorCode: number;
  readonly memberErrors: readonly number[];
}

/** The answer to a heartbeat, a commit that is allowed or not, or a deletion. */
interface PlainReply {
  readonly kind: 'plain';
  readonly errorCode: number;
}

export type Reply = JoinReply | SyncReply | LeaveReply | PlainReply;

/**
 * What the shell must do, in this order. A `store` that has succeeded or failed comes back as the
 * event `stored`; replies that depend on it are effects of that event, hence append, then reply.
 */
export type Effect =
  | { readonly type: 'reply'; readonly request: number; readonly reply: Reply }
  | { readonly type: 'start timer'; readonly timer: TimerName; readonly delayMs: number }
  | { readonly type: 'stop timer'; readonly timer: TimerName }
  | {
      readonly type: 'store';
      /** Null: tombstones for the group and all its offsets. */
      readonly record: GroupRecord | null;
      readonly purpose: StoredPurpose;
    };
