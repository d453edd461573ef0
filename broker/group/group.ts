import type { Clock, Random } from '../../system/index.js';
import type { GroupOffsets } from './group-offsets.js';
import type { CoordinatorRecord } from './records.js';
import type { CoordinatorSettings } from './settings.js';

/** Who asks to commit offsets: requests carry it since KIP-345. */
export interface MemberClaim {
  /** Empty, with a generation of -1, where no member asks. */
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  /** The generation of a classic group, the member's epoch in one of KIP-848. */
  readonly generation: number;
}

/** A group as DescribeGroups shows it. */
export interface GroupDescription {
  readonly protocolType: string;
  /** The protocol chosen; empty while it is not. */
  readonly protocolData: string;
  readonly members: readonly {
    readonly memberId: string;
    readonly groupInstanceId: string | null;
    readonly clientId: string;
    readonly clientHost: string;
    readonly memberMetadata: Buffer;
    readonly memberAssignment: Buffer;
  }[];
}

/** Who still needs a group's offsets (KIP-211). */
export interface OffsetUse {
  /** Topics that members read; `all` also where that cannot be known. */
  readonly topics: ReadonlySet<string> | 'all';
  /** The retention of an offset begins no sooner, milliseconds since the epoch. */
  readonly until: number;
}

/**
 * What every group has, whichever protocol its members speak; coordinator, expiration and the
 * APIs that are not of that protocol know no more. Its offsets are not its own: the coordinator
 * keeps them for all kinds (`GroupOffsets`).
 */
export interface Group {
  readonly id: string;
  /** As ListGroups calls its kind (KIP-848). */
  readonly type: string;
  /** What its members are: `consumer` for consumers; empty until a first one comes. */
  readonly protocolType: string;
  /** As DescribeGroups and ListGroups call where it stands. */
  readonly stateName: string;
  /**
   * Nobody is in it or awaited, and nothing is stored of it nor about to be: only offsets, where
   * it has some, keep it. Such a group may be forgotten, or make way for one of another kind.
   */
  readonly isUnused: boolean;
  /** Undefined where DescribeGroups cannot show its kind: there is no such group, then. */
  describe(): GroupDescription | undefined;
  /**
   * Whether who makes this claim may commit offsets: an error code, at once. The commit may be a
   * member's sign of life.
   */
  admitCommit(claim: MemberClaim): number;
  /** Which of its offsets may not expire, as far as it knows. */
  offsetUse(): OffsetUse;
  /**
   * Deletes it with its offsets (`GroupOffsets.deleteWith`), or refuses because of its members;
   * resolves with an error code.
   */
  delete(): Promise<number>;
  /** It came back from the log: members have a whole session to be heard of. */
  restored(): void;
  /** Stops: whoever waits is sent elsewhere, and nothing is written any more. */
  close(): void;
}

/** What a group needs around it. */
export interface GroupHome {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: CoordinatorSettings;
  readonly offsets: GroupOffsets;
  /**
   * Appends to the group's partition what `records` makes; an error code once that is done, never
   * a rejection: also where the records cannot be made.
   */
  append(records: () => readonly CoordinatorRecord[]): Promise<number>;
  /** The group has done something, after which it may be unused. */
  changed(): void;
  /** Hears of what should not happen: an effect that failed. */
  onBug(error: unknown): void;
}

/**
 * The records of one kind of group in a partition of `__consumer_offsets`, played from its start:
 * the last record of each key counts.
 */
export interface GroupReplay {
  /** The next record; a null value takes it back. The buffers are good for this call only. */
  apply(key: Buffer, value: Buffer | null): void;
  /** The groups of which something is left, by id, and how each is made. */
  groups(): Iterable<readonly [string, (home: GroupHome) => Group]>;
}

/** A kind of group: the classic protocol, or the one of KIP-848. Its APIs know it by this. */
export interface GroupKind<G extends Group = Group> {
  /** What its records' keys begin with (an int16); no other kind has these. */
  readonly recordKeys: readonly number[];
  /** A group that nobody has ever been in. */
  create(groupId: string, home: GroupHome): G;
  owns(group: Group): group is G;
  replay(): GroupReplay;
}
