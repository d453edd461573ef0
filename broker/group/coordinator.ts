import { ErrorCode } from '../../protocol/index.js';
import { detach, type System, type Timer } from '../../system/index.js';
import { LogError } from '../log/index.js';
import type { CommittedOffsets, OffsetEntry } from './committed-offsets.js';
import { expiredOffsets } from './expiration.js';
import type { Group, GroupHome, GroupKind, MemberClaim } from './group.js';
import { GroupOffsets } from './group-offsets.js';
import { groupKinds } from './kinds.js';
import { loadGroups } from './load.js';
import type { OffsetsLog } from './offsets-log.js';
import { partitionOf } from './partition-of.js';
import { type CoordinatorRecord, isStorable, toBatches } from './records.js';
import type { CoordinatorSettings } from './settings.js';

/** A group that a request is for, or why it is none of ours. */
export type FoundGroup<G extends Group = Group> =
  | { readonly group: G; readonly errorCode: typeof ErrorCode.NONE }
  | { readonly group: undefined; readonly errorCode: number };

/** A group with what is kept of it whatever its kind. */
interface HostedGroup {
  readonly group: Group;
  readonly home: GroupHome;
}

/**
 * The groups of this broker, of all kinds, and their offsets. What the members of a group want is
 * between them and the group (`of`); what must last is appended to `__consumer_offsets` before it
 * is acknowledged, and read back by `load`. Until compaction exists that log only grows, by some
 * 100 bytes per committed partition; `load` reads all of it, in the background.
 */
export class GroupCoordinator {
  private readonly groups = new Map<string, HostedGroup>();
  /** Partitions whose groups are not known yet, with the error to answer meanwhile. */
  private readonly unavailable = new Map<number, number>();
  private expiration: Timer | undefined;
  private isClosed = false;

  constructor(
    private readonly system: Pick<System, 'clock' | 'random' | 'log'>,
    private readonly log: OffsetsLog,
    private readonly settings: CoordinatorSettings,
    private readonly kinds: readonly GroupKind[] = groupKinds,
  ) {
    for (const partition of log.partitions()) {
      this.unavailable.set(partition, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    }
  }

  /**
   * Reads what the log knows of every group; resolves when all partitions are done. Requests may
   * come in the meantime and are answered COORDINATOR_LOAD_IN_PROGRESS where they come too early.
   */
  async load(): Promise<void> {
    this.scheduleExpiration();
    for (const partition of [...this.unavailable.keys()]) await this.loadPartition(partition);
  }

  /**
   * The group for a request of its kind's own API, made where there is none. The request must be
   * put to it in the same turn: a group that nobody uses is forgotten at its next change.
   */
  of<G extends Group>(kind: GroupKind<G>, groupId: string): FoundGroup<G> {
    if (groupId === '') return none(ErrorCode.INVALID_GROUP_ID);
    const { hosted, errorCode } = this.hosted(kind, groupId);
    if (hosted === undefined) return none(errorCode);
    const { group } = hosted;
    return kind.owns(group) ? found(group) : none(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  }

  /** A group of any kind; GROUP_ID_NOT_FOUND where there is none. */
  find(groupId: string): FoundGroup {
    const errorCode = this.availability(groupId);
    if (errorCode !== ErrorCode.NONE) return none(errorCode);
    const group = this.groups.get(groupId)?.group;
    return group === undefined ? none(ErrorCode.GROUP_ID_NOT_FOUND) : found(group);
  }

  /** All groups, and COORDINATOR_LOAD_IN_PROGRESS while some may be missing. */
  list(): { errorCode: number; groups: readonly Group[] } {
    const errorCode = this.unavailable.values().next().value ?? ErrorCode.NONE;
    return { errorCode, groups: [...this.groups.values()].map(({ group }) => group) };
  }

  /** Stores offsets; resolves with an error code, once they are in the log. */
  async commit(
    groupId: string,
    claim: MemberClaim,
    entries: readonly OffsetEntry[],
  ): Promise<number> {
    // As in Kafka the empty id is taken here: old consumers without a group commit under it.
    const { hosted, errorCode } = this.hosted(undefined, groupId);
    if (hosted === undefined) return errorCode;
    const { group, home } = hosted;
    return home.offsets.store(entries, () => group.admitCommit(claim));
  }

  /** The offsets of a group; undefined where it has none. */
  committed(groupId: string): { errorCode: number; offsets: CommittedOffsets | undefined } {
    const errorCode = this.availability(groupId);
    return { errorCode, offsets: this.groups.get(groupId)?.home.offsets.committed };
  }

  /** Deletes a group without members and its offsets; resolves with an error code. */
  async delete(groupId: string): Promise<number> {
    const { group, errorCode } = this.find(groupId);
    return group === undefined ? errorCode : group.delete();
  }

  /** Drops the offsets of a topic that is gone. */
  async forgetTopic(topic: string): Promise<void> {
    for (const { home } of [...this.groups.values()]) {
      const { committed } = home.offsets;
      await home.offsets.remove([...committed.entries()].filter((entry) => entry.topic === topic));
    }
  }

  /**
   * Stops; members that wait are answered NOT_COORDINATOR, commits on their way once it is known
   * whether they are in the log. Nothing more is written.
   */
  close(): void {
    this.isClosed = true;
    this.expiration?.cancel();
    for (const { group } of this.groups.values()) group.close();
    this.groups.clear();
  }

  private availability(groupId: string): number {
    if (this.isClosed) return ErrorCode.NOT_COORDINATOR;
    return this.unavailable.get(this.partitionOf(groupId)) ?? ErrorCode.NONE;
  }

  /** The kind of a group that has nothing but offsets. */
  private get first(): GroupKind {
    const [first] = this.kinds;
    if (first === undefined) throw new Error('there is no kind of group');
    return first;
  }

  private partitionOf(groupId: string): number {
    return partitionOf(groupId, this.log.partitionCount);
  }

  /**
   * The group of this id, made where there is none; one of another kind makes way where nothing
   * but offsets keeps it.
   * @param kind undefined: whichever it is
   */
  private hosted(
    kind: GroupKind | undefined,
    groupId: string,
  ): { readonly hosted: HostedGroup | undefined; readonly errorCode: number } {
    const errorCode = isStorable(groupId) ? this.availability(groupId) : ErrorCode.INVALID_GROUP_ID;
    if (errorCode !== ErrorCode.NONE) return { hosted: undefined, errorCode };
    const known = this.groups.get(groupId);
    const makesWay = kind !== undefined && known?.group.isUnused && !kind.owns(known.group);
    if (known !== undefined && !makesWay) return { hosted: known, errorCode };
    known?.group.close();
    const home = known?.home ?? this.homeOf(groupId);
    const group = (kind ?? this.first).create(groupId, home);
    return { hosted: this.host(group, home), errorCode };
  }

  private host(group: Group, home: GroupHome): HostedGroup {
    const hosted = { group, home };
    this.groups.set(group.id, hosted);
    return hosted;
  }

  private homeOf(groupId: string, stored?: CommittedOffsets): GroupHome {
    const { clock, random } = this.system;
    const append: GroupHome['append'] = (records) => this.append(groupId, records);
    const changed = () => this.forgetIfUnused(groupId);
    const offsets = new GroupOffsets(groupId, append, changed, stored);
    const { settings, onBug } = this;
    return { clock, random, settings, offsets, append, changed, onBug };
  }

  /** Requests name groups freely; only those that have something to remember stay. */
  private forgetIfUnused(groupId: string): void {
    const known = this.groups.get(groupId);
    if (known?.group.isUnused && known.home.offsets.isEmpty) this.groups.delete(groupId);
  }

  private async loadPartition(partition: number): Promise<void> {
    try {
      const stored = await loadGroups(this.log, partition, this.kinds);
      if (this.isClosed) return;
      for (const [groupId, { restore, offsets }] of stored) {
        const home = this.homeOf(groupId, offsets);
        const make = restore ?? ((own: GroupHome) => this.first.create(groupId, own));
        this.host(make(home), home).group.restored();
      }
      this.unavailable.delete(partition);
    } catch (error) {
      this.unavailable.set(partition, ErrorCode.COORDINATOR_NOT_AVAILABLE);
      const words = 'groups cannot be read back; their members are refused until it is repaired';
      this.system.log.error(words, { topic: '__consumer_offsets', partition, error });
    }
  }

  private async append(
    groupId: string,
    records: () => readonly CoordinatorRecord[],
  ): Promise<number> {
    if (this.isClosed) return ErrorCode.NOT_COORDINATOR;
    const partition = this.partitionOf(groupId);
    let batches: Buffer[];
    try {
      batches = toBatches(records(), this.system.clock.now());
    } catch (error) {
      // The doors should have refused it; trying again would change nothing.
      this.onBug(error);
      return ErrorCode.UNKNOWN_SERVER_ERROR;
    }
    try {
      await Promise.all(batches.map((batch) => this.log.append(partition, batch)));
      return ErrorCode.NONE;
    } catch (error) {
      if (!this.isClosed) {
        const words = 'a group could not be stored';
        this.system.log.error(words, { topic: '__consumer_offsets', partition, groupId, error });
      }
      return isTooLarge(error)
        ? ErrorCode.UNKNOWN_SERVER_ERROR
        : ErrorCode.COORDINATOR_NOT_AVAILABLE;
    }
  }

  private scheduleExpiration(): void {
    const { clock } = this.system;
    this.expiration = clock.after(this.settings.offsetsRetentionCheckIntervalMs, () => {
      for (const hosted of [...this.groups.values()]) detach(this.expire(hosted), this.onBug);
      this.scheduleExpiration();
    });
  }

  private async expire({ group, home: { offsets } }: HostedGroup): Promise<void> {
    const { offsetsRetentionMs } = this.settings;
    const now = this.system.clock.now();
    const use = group.offsetUse();
    await offsets.remove(expiredOffsets(use, offsets.committed, offsetsRetentionMs, now));
    // With its last offset it may be forgotten already. One with members refuses.
    const isHere = this.groups.get(group.id)?.group === group;
    if (isHere && offsets.isEmpty) await group.delete();
  }

  private readonly onBug = (error: unknown): void =>
    this.system.log.error('a group could not do what it decided', { error });
}

function found<G extends Group>(group: G): FoundGroup<G> {
  return { group, errorCode: ErrorCode.NONE };
}

function none(errorCode: number): FoundGroup<never> {
  return { group: undefined, errorCode };
}

/** What trying again does not help: as Kafka, clients are told so by UNKNOWN_SERVER_ERROR. */
function isTooLarge(error: unknown): boolean {
  if (!(error instanceof LogError)) return false;
  return error.code === 'MESSAGE_TOO_LARGE' || error.code === 'RECORD_LIST_TOO_LARGE';
}
