import type { GroupSettings } from '../settings.js';

/** Where a classic group stands; the names are what DescribeGroups and ListGroups report. */
type GroupPhase = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead';

/** One way of sharing partitions that a member can follow, with its subscription. */
export interface MemberProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

/** What a member says of itself whenever it joins. */
type Introduction = Pick<
  Member,
  'protocols' | 'sessionTimeoutMs' | 'rebalanceTimeoutMs' | 'clientId' | 'clientHost'
>;

/** One member of a group; others than the core see it read-only. */
export interface Member {
  readonly memberId: string;
  /** Set for static members (KIP-345); unique in the group. */
  readonly groupInstanceId: string | null;
  clientId: string;
  clientHost: string;
  sessionTimeoutMs: number;
  rebalanceTimeoutMs: number;
  /** In the member's order of preference; never empty. */
  protocols: readonly MemberProtocol[];
  /** Valid in phase Stable only. */
  assignment: Buffer;
  /** The JoinGroup request that waits for the join phase to end. At most one. */
  join: number | null;
  /** The SyncGroup request that waits for the leader's assignment. At most one. */
  sync: number | null;
  /** True until its first join phase has ended: it cannot send heartbeats before that. */
  isNew: boolean;
  /** Has asked for its assignment in this generation. */
  synced: boolean;
}

/**
 * A classic consumer group; nobody but `step` changes it. Invariants: `members` holds an entry per
 * key `memberId`; `leader` is a member or null, and not null in CompletingRebalance and Stable; in
 * these two phases `protocol` is one that every member supports, and no member waits with a join;
 * members wait with a sync only in CompletingRebalance; Empty and Dead groups have no members.
 */
export interface GroupState {
  readonly groupId: string;
  readonly settings: GroupSettings;
  readonly phase: GroupPhase;
  /** When the phase began, milliseconds since the epoch. */
  readonly phaseSince: number;
  /** Grows by one whenever a join phase ends. */
  readonly generation: number;
  /** `consumer` for consumers; null until a first member comes. */
  readonly protocolType: string | null;
  readonly protocol: string | null;
  readonly leader: string | null;
  /** In the order of arrival. */
  readonly members: ReadonlyMap<string, Readonly<Member>>;
  /** Member ids that were handed out with MEMBER_ID_REQUIRED (KIP-394) and are awaited. */
  readonly pendingMembers: ReadonlySet<string>;
  /** The leader's assignment while it is being stored; by member id. */
  readonly storing: ReadonlyMap<string, Buffer> | null;
  /** Set while the first join phase is being held open for more members. */
  readonly initialDelay: { readonly remainingMs: number; readonly joined: boolean } | null;
}

/** A group's durable part: the fields of GroupMetadataValue. */
export interface GroupRecord {
  readonly protocolType: string;
  readonly generation: number;
  readonly protocol: string | null;
  readonly leader: string | null;
  readonly currentStateTimestamp: number;
  readonly members: readonly {
    readonly memberId: string;
    readonly groupInstanceId: string | null;
    readonly clientId: string;
    readonly clientHost: string;
    readonly rebalanceTimeout: number;
    readonly sessionTimeout: number;
    readonly subscription: Buffer;
    readonly assignment: Buffer;
  }[];
}

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };

/** The group as the core alone sees it, and `step` changes it. */
export interface MutableGroup extends Mutable<Omit<GroupState, 'members' | 'pendingMembers'>> {
  readonly members: Map<string, Member>;
  readonly pendingMembers: Set<string>;
}

export const EMPTY_ASSIGNMENT = Buffer.alloc(0);

/** A group that has never had a member. */
export function emptyGroup(groupId: string, settings: GroupSettings, now: number): GroupState {
  return {
    groupId,
    settings,
    phase: 'Empty',
    phaseSince: now,
    generation: 0,
    protocolType: null,
    protocol: null,
    leader: null,
    members: new Map(),
    pendingMembers: new Set(),
    storing: null,
    initialDelay: null,
  };
}

/** What is stored of the group, with the assignments given (by member id; missing: none). */
export function groupRecord(
  state: GroupState,
  assignments: ReadonlyMap<string, Buffer>,
): GroupRecord {
  return {
    protocolType: state.protocolType ?? '',
    generation: state.generation,
    protocol: state.protocol,
    leader: state.leader,
    currentStateTimestamp: state.phaseSince,
    members: [...state.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      sessionTimeout: member.sessionTimeoutMs,
      subscription: metadataFor(member, state.protocol),
      assignment: assignments.get(member.memberId) ?? EMPTY_ASSIGNMENT,
    })),
  };
}

/** The group as its last stored record describes it: Stable, or Empty without members. */
export function restoredGroup(
  groupId: string,
  settings: GroupSettings,
  record: GroupRecord,
): GroupState {
  const { protocol } = record;
  const members = record.members.map((stored): [string, Member] => [
    stored.memberId,
    {
      memberId: stored.memberId,
      groupInstanceId: stored.groupInstanceId,
      clientId: stored.clientId,
      clientHost: stored.clientHost,
      sessionTimeoutMs: stored.sessionTimeout,
      rebalanceTimeoutMs:
        stored.rebalanceTimeout < 0 ? stored.sessionTimeout : stored.rebalanceTimeout,
      protocols: [{ name: protocol ?? '', metadata: stored.subscription }],
      assignment: stored.assignment,
      join: null,
      sync: null,
      isNew: false,
      synced: true,
    },
  ]);
  return {
    ...emptyGroup(groupId, settings, record.currentStateTimestamp),
    phase: members.length > 0 ? 'Stable' : 'Empty',
    generation: record.generation,
    protocolType: record.protocolType === '' ? null : record.protocolType,
    protocol,
    leader: record.leader,
    members: new Map(members),
  };
}

/** The member's subscription under a protocol; empty where it does not support it. */
export function metadataFor(member: Readonly<Member>, protocol: string | null): Buffer {
  return member.protocols.find(({ name }) => name === protocol)?.metadata ?? EMPTY_ASSIGNMENT;
}

/** Takes down what a member says of itself. */
export function takeOver(member: Member, said: Introduction): void {
  member.protocols = said.protocols;
  member.sessionTimeoutMs = said.sessionTimeoutMs;
  member.rebalanceTimeoutMs = said.rebalanceTimeoutMs;
  member.clientId = said.clientId;
  member.clientHost = said.clientHost;
}

/** The static member that carries this instance id. */
export function staticMember<M extends Readonly<Member>>(
  state: { readonly members: ReadonlyMap<string, M> },
  groupInstanceId: string,
): M | undefined {
  for (const member of state.members.values()) {
    if (member.groupInstanceId === groupInstanceId) return member;
  }
  return undefined;
}
