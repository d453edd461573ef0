import { ErrorCode } from '../../protocol/index.js';
import { type Clock, detach, type Timer } from '../../system/index.js';
import {
  type Effect,
  type GroupEvent,
  type GroupState,
  type MemberClaim,
  type Reply,
  step,
  type TimerName,
} from './classic/index.js';
import { CommittedOffsets, type OffsetEntry, type TopicPartition } from './committed-offsets.js';
import { type CoordinatorRecord, groupToRecord, offsetToRecord } from './records.js';
import { type ReplyOf, refusal } from './refusal.js';

/** What a group needs around it. */
export interface GroupSurroundings {
  readonly clock: Clock;
  /**
   * Appends to the group's partition what `records` makes; an error code once that is done, never
   * a rejection: also where the records cannot be made.
   */
  append(groupId: string, records: () => readonly CoordinatorRecord[]): Promise<number>;
  /** Hears of what should not happen: an effect that failed. */
  onBug(error: unknown): void;
  /** Nothing is known of the group any more; who asks for it next gets a fresh one. */
  forget(group: HostedGroup): void;
}

interface Waiting {
  answer(reply: Reply): void;
  refuse(): void;
}

/** One group: its state, its offsets, and the hands that do what `step` says. */
export class HostedGroup {
  private readonly timers = new Map<TimerName, Timer>();
  private readonly waiting = new Map<number, Waiting>();
  /** Offsets whose commit has not been judged yet; by request. */
  private readonly commits = new Map<number, readonly OffsetEntry[]>();
  /** Offsets on their way into the log. */
  private readonly beingStored = new Set<readonly OffsetEntry[]>();
  private recordsBeingStored = 0;
  private requests = 0;
  private isClosed = false;

  constructor(
    private readonly surroundings: GroupSurroundings,
    readonly state: GroupState,
    readonly offsets = new CommittedOffsets(),
  ) {}

  /** Puts a request to the group; resolves with its answer, however long that takes. */
  ask<Kind extends Reply['kind']>(
    kind: Kind,
    event: (request: number) => GroupEvent,
  ): Promise<ReplyOf<Kind>> {
    return new Promise((resolve, reject) => {
      const request = ++this.requests;
      this.waiting.set(request, {
        answer: (reply) => {
          if (isKind(reply, kind)) resolve(reply);
          else reject(new Error(`a ${kind} request was answered with ${reply.kind}`));
        },
        refuse: () => resolve(refusal(kind, ErrorCode.NOT_COORDINATOR)),
      });
      try {
        this.dispatch(event(request));
      } catch (error) {
        this.forgetRequest(request);
        reject(error);
      }
    });
  }

  /** Stores offsets where the group allows it; resolves with an error code after the append. */
  async commit(claim: MemberClaim, entries: readonly OffsetEntry[]): Promise<number> {
    const reply = await this.ask('plain', (request) => {
      this.commits.set(request, entries);
      return { type: 'commit', request, ...claim };
    });
    return reply.errorCode;
  }

  /**
   * Takes offsets back that nobody has a claim to any more; nothing happens while others are on
   * their way into the log, for a tombstone behind one would take back what is new.
   */
  async removeOffsets(entries: readonly TopicPartition[]): Promise<void> {
    if (entries.length === 0 || this.beingStored.size > 0) return;
    await this.storeOffsets(
      entries.map(({ topic, partition }) => ({ topic, partition, value: null })),
    );
  }

  /** Starts the timers of a group that came back from the log. */
  restored(): void {
    this.dispatch({ type: 'restored' });
  }

  /** Stops all timers and sends everybody who waits elsewhere. */
  close(): void {
    this.isClosed = true;
    for (const timer of this.timers.values()) timer.cancel();
    this.timers.clear();
    for (const waiting of this.waiting.values()) waiting.refuse();
    this.waiting.clear();
  }

  private dispatch(event: GroupEvent): void {
    if (this.isClosed) return;
    const effects = step(this.state, event, this.surroundings.clock.now());
    for (const effect of effects) this.execute(effect);
    this.forgetIfVacant();
  }

  private execute(effect: Effect): void {
    switch (effect.type) {
      case 'reply':
        this.answer(effect.request, effect.reply);
        break;
      case 'start timer':
        this.startTimer(effect.timer, effect.delayMs);
        break;
      case 'stop timer':
        this.timers.get(effect.timer)?.cancel();
        this.timers.delete(effect.timer);
        break;
      case 'store':
        detach(this.store(effect), this.surroundings.onBug);
        break;
      case 'store offsets':
        detach(this.storeCommit(effect.request), this.surroundings.onBug);
        break;
    }
  }

  private answer(request: number, reply: Reply): void {
    const waiting = this.waiting.get(request);
    this.forgetRequest(request);
    waiting?.answer(reply);
  }

  private forgetRequest(request: number): void {
    this.waiting.delete(request);
    this.commits.delete(request);
  }

  private startTimer(timer: TimerName, delayMs: number): void {
    this.timers.get(timer)?.cancel();
    const started = this.surroundings.clock.after(delayMs, () => {
      this.timers.delete(timer);
      try {
        this.dispatch({ type: 'timer', timer });
      } catch (error) {
        this.surroundings.onBug(error);
      }
    });
    this.timers.set(timer, started);
  }

  private async store({ record, purpose }: Effect & { type: 'store' }): Promise<void> {
    const { groupId } = this.state;
    const records = () => {
      const all = [groupToRecord(groupId, record)];
      if (record !== null) return all;
      for (const { topic, partition } of this.allOffsets()) {
        all.push(offsetToRecord(groupId, { topic, partition, value: null }));
      }
      return all;
    };
    this.recordsBeingStored += 1;
    const errorCode = await this.surroundings.append(groupId, records);
    this.recordsBeingStored -= 1;
    this.dispatch({ type: 'stored', purpose, errorCode });
  }

  private async storeCommit(request: number): Promise<void> {
    const errorCode = await this.storeOffsets(this.commits.get(request) ?? []);
    this.answer(request, { kind: 'plain', errorCode });
  }

  private async storeOffsets(entries: readonly OffsetEntry[]): Promise<number> {
    const { groupId } = this.state;
    const records = () => entries.map((entry) => offsetToRecord(groupId, entry));
    this.beingStored.add(entries);
    const errorCode = await this.surroundings.append(groupId, records);
    this.beingStored.delete(entries);
    if (errorCode === ErrorCode.NONE) for (const entry of entries) this.offsets.apply(entry);
    this.forgetIfVacant();
    return errorCode;
  }

  /** Those in the log and those on their way into it. */
  private *allOffsets(): Generator<TopicPartition> {
    yield* this.offsets.entries();
    for (const entries of this.beingStored) yield* entries;
  }

  /** Requests name groups freely; only those that have something to remember stay. */
  private forgetIfVacant(): void {
    const { phase, generation, pendingMembers } = this.state;
    if (this.recordsBeingStored > 0 || this.beingStored.size > 0) return;
    const neverUsed =
      phase === 'Empty' && generation === 0 && pendingMembers.size === 0 && this.offsets.isEmpty;
    if (phase === 'Dead' || neverUsed) this.surroundings.forget(this);
  }
}

function isKind<Kind extends Reply['kind']>(reply: Reply, kind: Kind): reply is ReplyOf<Kind> {
  return reply.kind === kind;
}
