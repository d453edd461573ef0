import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import type {
  Effect,
  GroupEvent,
  JoinEvent,
  Reply,
  StoredPurpose,
  TimerName,
} from '../../../broker/group/classic/events.js';
import { emptyGroup, type GroupState } from '../../../broker/group/classic/model.js';
import { step } from '../../../broker/group/classic/step.js';
import { ErrorCode } from '../../../protocol/index.js';
import { fc } from '../../fast-check.js';
import { rounds } from '../../rounds.js';
import { settings } from './scenario.js';

/** What may happen next; `pick` chooses among what there is (ids, timers) at that moment. */
interface Move {
  readonly kind:
    | 'new'
    | 'again'
    | 'sync'
    | 'heartbeat'
    | 'commit'
    | 'leave'
    | 'timer'
    | 'stored'
    | 'round';
  readonly pick: number;
  readonly flag: boolean;
  readonly instance: string | null;
}

const moves = fc.array(
  fc.record<Move>({
    kind: fc.oneof(
      { weight: 2, arbitrary: fc.constant('new' as const) },
      { weight: 4, arbitrary: fc.constantFrom('again' as const, 'sync' as const) },
      { weight: 1, arbitrary: fc.constantFrom('heartbeat' as const, 'commit' as const) },
      { weight: 1, arbitrary: fc.constantFrom('leave' as const, 'timer' as const) },
      { weight: 6, arbitrary: fc.constantFrom('stored' as const, 'round' as const) },
    ),
    pick: fc.nat(1_000),
    flag: fc.boolean(),
    instance: fc.constantFrom(null, null, 'one', 'two'),
  }),
  { minLength: 10, maxLength: 80, size: 'max' },
);

/** Every so many events, what becomes of a copy of the group is compared. */
const TWIN_EVERY = 8;

/** As structuredClone, but a Buffer stays one. */
function copyOf<T>(value: T): T;
function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Buffer.isBuffer(value)) return Buffer.from(value);
  if (value instanceof Set) return new Set(value);
  if (value instanceof Map) return new Map([...value].map(([key, each]) => [key, copyOf(each)]));
  if (Array.isArray(value)) return value.map(copyOf);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, copyOf(each)]));
}

class World {
  /** What the shell holds for the group's whole life. */
  readonly state: GroupState;
  readonly timers = new Set<TimerName>();
  readonly stores: StoredPurpose[] = [];
  /** All effects, with a copy of what they were when they were handed out. */
  private readonly handedOut: { effects: readonly Effect[]; asked: readonly Effect[] }[] = [];
  /** Requests without an answer yet. */
  readonly open = new Set<number>();
  /** Ids that were ever told to a client. */
  readonly ids: string[] = [];
  /** Who was told to lead, and whom the leader knows, by generation. */
  private readonly leaders = new Map<number, string>();
  private readonly known = new Map<number, readonly string[]>();
  private requests = 0;
  private names = 0;
  private events = 0;

  constructor(delayMs: number) {
    this.state = emptyGroup('g', { ...settings, initialRebalanceDelayMs: delayMs }, 0);
  }

  play(move: Move): void {
    const event = move.kind === 'round' ? this.round(move) : this.eventOf(move);
    if (event !== undefined) this.dispatch(event);
  }

  /** Everybody does what a well-behaved client does, up to a Stable group. */
  private round(move: Move): undefined {
    for (const id of this.state.pendingMembers) this.dispatch(this.join(move, id, null));
    if (this.state.initialDelay !== null) this.fire('join');
    for (const { memberId, groupInstanceId, join } of this.state.members.values()) {
      if (this.state.phase !== 'PreparingRebalance') break;
      if (join === null) this.dispatch(this.join(move, memberId, groupInstanceId));
    }
    for (const memberId of this.state.members.keys()) {
      this.dispatch(this.sync(memberId, this.state.generation));
    }
  }

  private sync(memberId: string, generation: number): GroupEvent {
    return {
      type: 'sync',
      request: this.request(),
      memberId,
      groupInstanceId: this.state.members.get(memberId)?.groupInstanceId ?? null,
      generation,
      protocolType: null,
      protocol: null,
      assignments: new Map(
        (this.known.get(generation) ?? []).map((id) => [id, Buffer.from(`${generation}`)]),
      ),
    };
  }

  /** Nobody does anything any more: timers and stores alone must bring the group to rest. */
  drain(): void {
    for (let turn = 0; turn < 1_000; turn++) {
      const purpose = this.stores.shift();
      const [timer] = this.timers;
      if (purpose !== undefined) this.dispatch({ type: 'stored', purpose, errorCode: 0 });
      else if (timer !== undefined) this.fire(timer);
      else break;
    }
    equal(this.state.phase, 'Empty');
    deepEqual([...this.open], []);
    deepEqual([...this.timers], []);
    equal(this.state.pendingMembers.size, 0);
    // What a shell was asked to store or answer does not change under its hands.
    for (const { effects, asked } of this.handedOut) deepEqual(effects, asked);
  }

  private eventOf(move: Move): GroupEvent | undefined {
    const present = [...this.state.members.keys(), ...this.state.pendingMembers];
    const choice = move.pick % 10 === 0 ? this.ids : present;
    const memberId = choice[move.pick % (choice.length || 1)] ?? '';
    const groupInstanceId = this.state.members.get(memberId)?.groupInstanceId ?? null;
    const generation = move.pick % 7 === 0 ? this.state.generation - 1 : this.state.generation;
    const claim = { memberId, groupInstanceId, generation };
    switch (move.kind) {
      case 'new':
        return this.join(move, '', move.instance);
      case 'again':
        return this.join(move, memberId, groupInstanceId);
      case 'sync':
        return this.sync(memberId, generation);
      case 'heartbeat':
      case 'commit':
        return { type: move.kind, request: this.request(), ...claim };
      case 'leave':
        return {
          type: 'leave',
          request: this.request(),
          members: [{ memberId, groupInstanceId }],
        };
      case 'timer': {
        const timer = [...this.timers][move.pick % (this.timers.size || 1)];
        if (timer !== undefined) this.fire(timer);
        return undefined;
      }
      case 'stored': {
        const purpose = this.stores.shift();
        const errorCode =
          move.pick % 5 === 0 ? ErrorCode.COORDINATOR_NOT_AVAILABLE : ErrorCode.NONE;
        return purpose === undefined ? undefined : { type: 'stored', purpose, errorCode };
      }
    }
  }

  private join(move: Move, memberId: string, groupInstanceId: string | null): JoinEvent {
    const newMemberId = `m${++this.names}`;
    return {
      type: 'join',
      request: this.request(),
      memberId,
      newMemberId,
      groupInstanceId,
      clientId: 'c',
      clientHost: '/h',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000 + move.pick,
      protocolType: 'consumer',
      protocols: [
        { name: 'range', metadata: Buffer.from([move.pick % 10 === 0 ? 1 : 0]) },
        ...(move.flag ? [{ name: 'sticky', metadata: Buffer.alloc(0) }] : []),
      ],
      requiresKnownMemberId: move.flag,
      knowsSkipAssignment: move.pick % 2 === 0,
    };
  }

  private request(): number {
    const request = ++this.requests;
    this.open.add(request);
    return request;
  }

  private fire(timer: TimerName): void {
    this.timers.delete(timer);
    this.dispatch({ type: 'timer', timer });
  }

  private dispatch(event: GroupEvent): void {
    const twin = this.events++ % TWIN_EVERY === 0 ? copyOf(this.state) : undefined;
    const said = twin && copyOf(event);
    const effects = step(this.state, event, 1_000);
    this.handedOut.push({ effects, asked: copyOf(effects) });
    if (twin !== undefined && said !== undefined) {
      deepEqual(event, said, 'an event is read only');
      deepEqual(step(twin, said, 1_000), effects, 'nothing else is read');
      deepEqual(twin, this.state, 'nothing else is changed');
    }
    for (const effect of effects) this.execute(effect);
    this.checkState();
  }

  private execute(effect: Effect): void {
    switch (effect.type) {
      case 'start timer':
        this.timers.add(effect.timer);
        break;
      case 'stop timer':
        this.timers.delete(effect.timer);
        break;
      case 'store':
        this.stores.push(effect.purpose);
        break;
      case 'reply':
        this.answer(effect.request);
        this.checkReply(effect.reply);
        break;
    }
  }

  /** Each request is answered once: neither lost nor twice. */
  private answer(request: number): void {
    ok(this.open.delete(request), `request ${request} was open`);
  }

  private checkReply(reply: Reply): void {
    if (reply.kind === 'join') {
      if (reply.memberId !== '' && !this.ids.includes(reply.memberId)) {
        this.ids.push(reply.memberId);
      }
      if (reply.errorCode !== 0) return;
      if (reply.members.length === 0 || reply.skipAssignment) return;
      const leader = this.leaders.get(reply.generation) ?? reply.memberId;
      equal(reply.memberId, leader, `one leader in generation ${reply.generation}`);
      equal(reply.leader, reply.memberId);
      this.leaders.set(reply.generation, reply.memberId);
      this.known.set(
        reply.generation,
        reply.members.map(({ memberId }) => memberId),
      );
    }
    if (reply.kind === 'sync' && reply.errorCode === 0) {
      equal(reply.assignment.toString(), String(this.state.generation));
    }
  }

  /** The invariants that model.ts promises, and that nobody waits for ever. */
  private checkState(): void {
    const { phase, members, leader, protocol } = this.state;
    const all = [...members.values()];
    if (phase === 'Empty' || phase === 'Dead') deepEqual(all, []);
    if (leader !== null) ok(members.has(leader));
    if (phase === 'CompletingRebalance' || phase === 'Stable') {
      ok(leader !== null);
      equal(
        all.every((member) => member.protocols.some(({ name }) => name === protocol)),
        true,
      );
      deepEqual(
        all.filter((member) => member.join !== null),
        [],
      );
    }
    if (phase !== 'CompletingRebalance') {
      deepEqual(
        all.filter((member) => member.sync !== null),
        [],
      );
    }
    if (phase === 'Stable') {
      for (const { assignment } of all) {
        equal(assignment.toString(), String(this.state.generation));
      }
    }
    if (phase === 'PreparingRebalance') ok(this.timers.has('join'));
    if (phase === 'CompletingRebalance' && all.some(({ synced }) => !synced)) {
      ok(this.timers.has('sync'));
    }
    for (const member of all) {
      const watched = this.timers.has(`session:${member.memberId}`);
      const waits = member.join !== null || member.sync !== null;
      ok(watched || waits, `${member.memberId} is watched or waits`);
    }
    for (const id of this.state.pendingMembers) {
      ok(this.timers.has(`pending:${id}`));
    }
    const instances = all.flatMap(({ groupInstanceId }) => groupInstanceId ?? []);
    equal(new Set(instances).size, instances.length);
  }
}

describe('any sequence of events', () => {
  it.each([0, 3_000])('keeps the promises of the core, initial delay %i ms', (delayMs) => {
    let reachedStable = 0;
    fc.assert(
      fc.property(moves, (sequence) => {
        const world = new World(delayMs);
        for (const move of sequence) {
          world.play(move);
          if (world.state.phase === 'Stable' && world.state.members.size > 1) reachedStable += 1;
        }
        world.drain();
      }),
      { numRuns: 200 * rounds },
    );
    // The events must be such that something happens.
    expect(reachedStable).toBeGreaterThan(100);
  });
});
