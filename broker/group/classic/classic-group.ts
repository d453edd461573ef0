import { ErrorCode } from '../../../protocol/index.js';
import { detach, type Timer } from '../../../system/index.js';
import type { Group, GroupDescription, GroupHome, MemberClaim, OffsetUse } from '../group.js';
import { isStorable } from '../records.js';
import { describeGroup } from './description.js';
import type {
  Effect,
  GroupEvent,
  JoinEvent,
  JoinReply,
  LeaveEvent,
  LeaveReply,
  Reply,
  SyncEvent,
  SyncReply,
  TimerName,
} from './events.js';
import { emptyGroup, type GroupState } from './model.js';
import { offsetUse } from './offset-use.js';
import { groupToRecord } from './records.js';
import { type ReplyOf, refusal } from './refusal.js';
import { step } from './step.js';

/** A JoinGroup request as a group takes it. */
export type JoinRequest = Omit<JoinEvent, 'type' | 'request' | 'newMemberId'>;
/** A SyncGroup request as a group takes it. */
export type SyncRequest = Omit<SyncEvent, 'type' | 'request'>;

interface Waiting {
  answer(reply: Reply): void;
  refuse(): void;
}

/**
 * A group of the classic protocol: its state, and the hands that do what `step` says. What must
 * last is in the log before it is acknowledged.
 */
export class ClassicGroup implements Group {
  readonly type = 'classic';
  private readonly timers = new Map<TimerName, Timer>();
  private readonly waiting = new Map<number, Waiting>();
  private recordsBeingStored = 0;
  private requests = 0;
  private isClosed = false;

  constructor(
    readonly id: string,
    private readonly home: GroupHome,
    readonly state: GroupState = emptyGroup(id, home.settings, home.clock.now()),
  ) {}

  get protocolType(): string {
    return this.state.protocolType ?? '';
  }

  get stateName(): string {
    return this.state.phase;
  }

  get isUnused(): boolean {
    const { phase, generation, pendingMembers } = this.state;
    if (this.recordsBeingStored > 0) return false;
    return phase === 'Dead' || (phase === 'Empty' && generation === 0 && pendingMembers.size === 0);
  }

  /** JoinGroup; resolves when the join phase ends, however long that takes. */
  join(request: JoinRequest): Promise<JoinReply> {
    const newMemberId = `${request.groupInstanceId ?? request.clientId}-${this.uuid()}`;
    const { memberId, groupInstanceId, clientId, protocolType, protocols } = request;
    const names = [memberId, groupInstanceId ?? '', newMemberId, clientId, protocolType];
    const areStorable = names.every(isStorable) && protocols.every(({ name }) => isStorable(name));
    if (!areStorable) {
      this.home.changed();
      return Promise.resolve(refusal('join', ErrorCode.INVALID_REQUEST));
    }
    return this.ask('join', (id) => ({ type: 'join', request: id, newMemberId, ...request }));
  }

  /** SyncGroup; resolves when the leader's assignment is stored. */
  sync(request: SyncRequest): Promise<SyncReply> {
    return this.ask('sync', (id) => ({ type: 'sync', request: id, ...request }));
  }

  /** Heartbeat; resolves with an error code. */
  async heartbeat(claim: MemberClaim): Promise<number> {
    const event = (request: number) => ({ type: 'heartbeat' as const, request, ...claim });
    return (await this.ask('plain', event)).errorCode;
  }

  /** LeaveGroup. */
  leave(members: LeaveEvent['members']): Promise<LeaveReply> {
    return this.ask('leave', (request) => ({ type: 'leave', request, members }));
  }

  async delete(): Promise<number> {
    return (await this.ask('plain', (request) => ({ type: 'delete', request }))).errorCode;
  }

  describe(): GroupDescription {
    return describeGroup(this.state);
  }

  admitCommit(claim: MemberClaim): number {
    // The core answers a commit within its step.
    let errorCode: number = ErrorCode.NOT_COORDINATOR;
    const event = (request: number) => ({ type: 'commit' as const, request, ...claim });
    const answer = (reply: Reply) => {
      errorCode = reply.errorCode;
    };
    this.put(event, { answer, refuse: () => {} });
    return errorCode;
  }

  offsetUse(): OffsetUse {
    return offsetUse(this.state);
  }

  restored(): void {
    this.dispatch({ type: 'restored' });
  }

  close(): void {
    this.isClosed = true;
    for (const timer of this.timers.values()) timer.cancel();
    this.timers.clear();
    for (const waiting of this.waiting.values()) waiting.refuse();
    this.waiting.clear();
  }

  /** Puts a request to the group; resolves with its answer, however long that takes. */
  private ask<Kind extends Reply['kind']>(
    kind: Kind,
    event: (request: number) => GroupEvent,
  ): Promise<ReplyOf<Kind>> {
    return new Promise((resolve) => {
      this.put(event, {
        answer: (reply) => {
          if (!isKind(reply, kind)) throw new Error(`a ${kind} request, a ${reply.kind} reply`);
          resolve(reply);
        },
        refuse: () => resolve(refusal(kind, ErrorCode.NOT_COORDINATOR)),
      });
    });
  }

  private put(event: (request: number) => GroupEvent, waiting: Waiting): void {
    const request = ++this.requests;
    this.waiting.set(request, waiting);
    try {
      this.dispatch(event(request));
    } catch (error) {
      this.waiting.delete(request);
      throw error;
    }
  }

  private dispatch(event: GroupEvent): void {
    if (this.isClosed) return;
    const effects = step(this.state, event, this.home.clock.now());
    for (const effect of effects) this.execute(effect);
    this.home.changed();
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
        detach(this.store(effect), this.home.onBug);
        break;
    }
  }

  private answer(request: number, reply: Reply): void {
    const waiting = this.waiting.get(request);
    this.waiting.delete(request);
    waiting?.answer(reply);
  }

  private startTimer(timer: TimerName, delayMs: number): void {
    this.timers.get(timer)?.cancel();
    const started = this.home.clock.after(delayMs, () => {
      this.timers.delete(timer);
      try {
        this.dispatch({ type: 'timer', timer });
      } catch (error) {
        this.home.onBug(error);
      }
    });
    this.timers.set(timer, started);
  }

  private async store({ record, purpose }: Effect & { type: 'store' }): Promise<void> {
    const { id, home } = this;
    const records = () => [groupToRecord(id, record)];
    this.recordsBeingStored += 1;
    const stored = record === null ? home.offsets.deleteWith(records) : home.append(records);
    const errorCode = await stored;
    this.recordsBeingStored -= 1;
    this.dispatch({ type: 'stored', purpose, errorCode });
  }

  private uuid(): string {
    const hex = this.home.random.bytes(16).toString('hex');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }
}

function isKind<Kind extends Reply['kind']>(reply: Reply, kind: Kind): reply is ReplyOf<Kind> {
  return reply.kind === kind;
}
