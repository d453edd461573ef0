import { ErrorCode } from '../../protocol/index.js';
import { detach, type System, type Timer } from '../../system/index.js';
import { LogError } from '../log/index.js';
import {
  emptyGroup,
  type GroupEvent,
  type GroupState,
  type JoinEvent,
  type JoinReply,
  type LeaveReply,
  type MemberClaim,
  type Reply,
  restoredGroup,
  type SyncEvent,
  type SyncReply,
} from './classic/index.js';
import type { CommittedOffsets, OffsetEntry } from './committed-offsets.js';
import { expiredOffsets } from './expiration.js';
import { type GroupSurroundings, HostedGroup } from './hosted-group.js';
import { loadGroups, type StoredGroup } from './load.js';
import type { OffsetsLog } from './offsets-log.js';
import { partitionOf } from './partition-of.js';
import { type CoordinatorRecord, toBatches } from './records.js';
import { type ReplyOf, refusal } from './refusal.js';
import type { CoordinatorSettings } from './settings.js';

/** A JoinGroup request as the coordinator takes it. */
export type JoinRequest = Omit<JoinEvent, 'type' | 'request' | 'newMemberId'>;
/** A SyncGroup request as the coordinator takes it. */
type SyncRequest = Omit<SyncEvent, 'type' | 'request'>;

/**
 * The consumer groups of this broker. Requests are answered by the pure core of each group; what
 * must last is appended to `__consumer_offsets` before it is acknowledged, and read back by
 * `load`. Until compaction exists that log only grows, by some 100 bytes per committed
 * partition; `load` reads all of it, in the background.
 */
export class GroupCoordinator {
  private readonly groups = new Map<string, HostedGroup>();
  /** Partitions whose groups are not known yet, with the error to answer meanwhile. */
  private readonly unavailable = new Map<number, number>();
  private readonly surroundings: GroupSurroundings;
  private expiration: Timer | undefined;
  private isClosed = false;

  constructor(
    private readonly system: Pick<System, 'clock' | 'random' | 'log'>,
    private readonly log: OffsetsLog,
    private readonly settings: CoordinatorSettings,
  ) {
    this.surroundings = {
      clock: system.clock,
      append: (groupId, records) => this.append(groupId, records),
      onBug: (error) => system.log.error('a group could not do what it decided', { error }),
      forget: (group) => this.forget(group),
    };
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

  join(groupId: string, request: JoinRequest): Promise<JoinReply> {
    const newMemberId = `${request.groupInstanceId ?? request.clientId}-${this.uuid()}`;
    const { memberId, groupInstanceId, clientId, protocolType, protocols } = request;
    const names = [memberId, groupInstanceId ?? '', newMemberId, clientId, protocolType];
    const areStorable = names.every(isStorable) && protocols.every(({ name }) => isStorable(name));
    if (!areStorable) {
      return Promise.resolve(refusal('join', ErrorCode.INVALID_REQUEST));
    }
    return this.ask(groupId, 'join', (id) => ({
      type: 'join',
      request: id,
      newMemberId,
      ...request,
    }));
  }

  sync(groupId: string, request: SyncRequest): Promise<SyncReply> {
    return this.ask(groupId, 'sync', (id) => ({ type: 'sync', request: id, ...request }));
  }

  /** Resolves with an error code. */
  async heartbeat(groupId: string, claim: MemberClaim): Promise<number> {
    const reply = await this.ask(groupId, 'plain', (id) => ({
      type: 'heartbeat',
      request: id,
      ...claim,
    }));
    return reply.errorCode;
  }

  leave(
    groupId: string,
    members: readonly { readonly memberId: string; readonly groupInstanceId: string | null }[],
  ): Promise<LeaveReply> {
    return this.ask(groupId, 'leave', (id) => ({ type: 'leave', request: id, members }));
  }

  /** Stores offsets; resolves with an error code, once they are in the log. */
  async commit(
    groupId: string,
    claim: MemberClaim,
    entries: readonly OffsetEntry[],
  ): Promise<number> {
    // As in Kafka the empty id is taken here: old consumers without a group commit under it.
    if (!isStorable(groupId)) return ErrorCode.INVALID_GROUP_ID;
    const errorCode = this.availability(groupId);
    return errorCode === ErrorCode.NONE ? this.hosted(groupId).commit(claim, entries) : errorCode;
  }

  /** The offsets of a group; undefined where it has none. */
  committed(groupId: string): { errorCode: number; offsets: CommittedOffsets | undefined } {
    const errorCode = this.availability(groupId);
    return { errorCode, offsets: this.groups.get(groupId)?.offsets };
  }

  /** The state of a group; GROUP_ID_NOT_FOUND where there is none. */
  state(groupId: string): { errorCode: number; state: GroupState | undefined } {
    const errorCode = this.availability(groupId);
    const state = this.groups.get(groupId)?.state;
    if (errorCode === ErrorCode.NONE && state === undefined) {
      return { errorCode: ErrorCode.GROUP_ID_NOT_FOUND, state };
    }
    return { errorCode, state };
  }

  /** The states of all groups, and COORDINATOR_LOAD_IN_PROGRESS while some may be missing. */
  list(): { errorCode: number; states: readonly GroupState[] } {
    const errorCode = this.unavailable.values().next().value ?? ErrorCode.NONE;
    return { errorCode, states: [...this.groups.values()].map(({ state }) => state) };
  }

  /** Deletes a group without members and its offsets; resolves with an error code. */
  async delete(groupId: string): Promise<number> {
    const { errorCode } = this.state(groupId);
    if (errorCode !== ErrorCode.NONE) return errorCode;
    const reply = await this.ask(groupId, 'plain', (id) => ({ type: 'delete', request: id }));
    return reply.errorCode;
  }

  /** Drops the offsets of a topic that is gone. */
  async forgetTopic(topic: string): Promise<void> {
    for (const group of [...this.groups.values()]) {
      const entries = [...group.offsets.entries()].filter((entry) => entry.topic === topic);
      await group.removeOffsets(entries);
    }
  }

  /** Stops; requests that wait are answered NOT_COORDINATOR. Nothing is written any more. */
  close(): void {
    this.isClosed = true;
    this.expiration?.cancel();
    for (const group of this.groups.values()) group.close();
    this.groups.clear();
  }

  private async ask<Kind extends Reply['kind']>(
    groupId: string,
    kind: Kind,
    event: (request: number) => GroupEvent,
  ): Promise<ReplyOf<Kind>> {
    if (groupId === '' || !isStorable(groupId)) return refusal(kind, ErrorCode.INVALID_GROUP_ID);
    const errorCode = this.availability(groupId);
    if (errorCode !== ErrorCode.NONE) return refusal(kind, errorCode);
    return this.hosted(groupId).ask(kind, event);
  }

  private availability(groupId: string): number {
    if (this.isClosed) return ErrorCode.NOT_COORDINATOR;
    return this.unavailable.get(this.partitionOf(groupId)) ?? ErrorCode.NONE;
  }

  private partitionOf(groupId: string): number {
    return partitionOf(groupId, this.log.partitionCount);
  }

  private hosted(groupId: string): HostedGroup {
    const known = this.groups.get(groupId);
    if (known !== undefined) return known;
    const state = emptyGroup(groupId, this.settings, this.system.clock.now());
    const group = new HostedGroup(this.surroundings, state);
    this.groups.set(groupId, group);
    return group;
  }

  private forget(group: HostedGroup): void {
    const { groupId } = group.state;
    if (this.groups.get(groupId) === group) this.groups.delete(groupId);
  }

  private async loadPartition(partition: number): Promise<void> {
    try {
      const stored = await loadGroups(this.log, partition);
      if (this.isClosed) return;
      for (const [groupId, group] of stored) this.restore(groupId, group);
      this.unavailable.delete(partition);
    } catch (error) {
      this.unavailable.set(partition, ErrorCode.COORDINATOR_NOT_AVAILABLE);
      const words = 'groups cannot be read back; their members are refused until it is repaired';
      this.system.log.error(words, { topic: '__consumer_offsets', partition, error });
    }
  }

  private restore(groupId: string, { record, offsets }: StoredGroup): void {
    const state =
      record === null
        ? emptyGroup(groupId, this.settings, this.system.clock.now())
        : restoredGroup(groupId, this.settings, record);
    const group = new HostedGroup(this.surroundings, state, offsets);
    this.groups.set(groupId, group);
    group.restored();
  }

  private async append(
    groupId: string,
    records: () => readonly CoordinatorRecord[],
  ): Promise<number> {
    const partition = this.partitionOf(groupId);
    let batches: Buffer[];
    try {
      batches = toBatches(records(), this.system.clock.now());
    } catch (error) {
      // The doors should have refused it; trying again would change nothing.
      this.surroundings.onBug(error);
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
      for (const group of [...this.groups.values()]) {
        detach(this.expire(group), this.surroundings.onBug);
      }
      this.scheduleExpiration();
    });
  }

  private async expire(group: HostedGroup): Promise<void> {
    const { offsetsRetentionMs } = this.settings;
    const { groupId } = group.state;
    const now = this.system.clock.now();
    await group.removeOffsets(expiredOffsets(group.state, group.offsets, offsetsRetentionMs, now));
    if (group.state.phase === 'Empty' && group.offsets.isEmpty) await this.delete(groupId);
  }

  private uuid(): string {
    const hex = this.system.random.bytes(16).toString('hex');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }
}

/** The longest text, in UTF-8, that a record of `__consumer_offsets` can hold. */
const MAX_TEXT_BYTES = 0x7fff;

/** Compact strings on the wire can be longer, and broken UTF-8 grows when it is read. */
function isStorable(text: string): boolean {
  return text.length * 3 <= MAX_TEXT_BYTES || Buffer.byteLength(text) <= MAX_TEXT_BYTES;
}

/** What trying again does not help: as Kafka, clients are told so by UNKNOWN_SERVER_ERROR. */
function isTooLarge(error: unknown): boolean {
  if (!(error instanceof LogError)) return false;
  return error.code === 'MESSAGE_TOO_LARGE' || error.code === 'RECORD_LIST_TOO_LARGE';
}
