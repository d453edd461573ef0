import type { Clock, Timer } from '../clock.js';
import { detach } from '../detach.js';
import { createRealSystem } from '../real/index.js';
import { type Life, SimCrash } from './life.js';
import type { WallClock } from './wall-clock.js';

interface Event extends Timer {
  readonly time: number;
  /** Events of one time run in the order in which they were scheduled. */
  readonly order: number;
  /** undefined once cancelled or run. */
  callback: (() => void) | undefined;
  readonly life: Life | undefined;
}

/** 2026-01-01T00:00:00Z: where simulated wall clocks begin. */
const epochMs = 1_767_225_600_000;
/** How many cancelled events wait for their time at most, beside as many as are still to run. */
const maxCancelledEvents = 1024;
/** Virtual time: events run one after another, and the clock jumps to each. */
export class Scheduler {
  #now = 0;
  #order = 0;
  #driving = false;
  /** How far the wall clocks are from where they would be had nobody set them all. */
  #wallOffsetMs = 0;
  /** A binary heap by time and order. */
  #events: Event[] = [];
  /** How many of them have been cancelled. */
  #cancelled = 0;
  readonly #outside = createRealSystem().clock;

  /** Virtual milliseconds since the start. */
  get now(): number {
    return this.#now;
  }

  /** Wall-clock time of a machine that was not set apart, milliseconds since the epoch. */
  get wallClock(): number {
    return epochMs + this.#wallOffsetMs + Math.floor(this.#now);
  }

  /** Somebody sets all wall clocks, forth or back; virtual time and every timer go on. */
  stepWallClock(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** Runs `callback` after `delayMs`, unless the process has died by then. */
  after(delayMs: number, life: Life | undefined, callback: () => void): Timer {
    const time = this.#now + Math.max(0, delayMs);
    const event: Event = {
      time,
      order: this.#order++,
      callback,
      life,
      cancel: () => {
        if (event.callback === undefined) return;
        event.callback = undefined;
        this.#cancelled++;
        this.#dropCancelled();
      },
    };
    this.#push(event);
    return event;
  }

  /** A process's clock. */
  clockOf(life: Life, wall: WallClock): Clock {
    return {
      now: () => wall.now(),
      monotonic: () => this.#now,
      after: (delayMs, callback) => this.after(delayMs, life, callback),
      nextTurn: (callback) => {
        this.after(0, life, callback);
      },
      sleep: (delayMs, signal) => this.#sleep(delayMs, life, signal),
    };
  }

  #sleep(delayMs: number, life: Life, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = () => {
        timer.cancel();
        signal?.removeEventListener('abort', finish);
        resolve();
      };
      const timer = this.after(delayMs, life, finish);
      signal?.addEventListener('abort', finish);
    });
  }

  /** Runs until `work` settles; throws when nothing is left to happen or `limitMs` has passed. */
  async run<T>(work: Promise<T>, limitMs: number, realPatienceMs: number): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    // Whoever runs it hears of a failure.
    detach(work.then(settle), settle);
    const deadline = this.#now + limitMs;
    await this.#drive(() => settled, deadline, realPatienceMs);
    if (!settled) throw new Error(`not done after ${limitMs} ms of simulated time`);
    return work;
  }

  /** Lets `durationMs` of virtual time pass. */
  async advance(durationMs: number): Promise<void> {
    const deadline = this.#now + durationMs;
    await this.#drive(() => false, deadline, undefined);
    this.#now = deadline;
  }

  /** Runs until nothing is scheduled, or for `limitMs` at most. */
  async settle(limitMs: number): Promise<void> {
    await this.#drive(() => false, this.#now + limitMs, undefined);
  }

  async #drive(
    done: () => boolean,
    deadline: number,
    realPatienceMs: number | undefined,
  ): Promise<void> {
    if (this.#driving) throw new Error('the simulation is already running');
    this.#driving = true;
    try {
      await this.#outsideTurn();
      while (!done()) {
        const event = this.#events[0];
        if (event === undefined && realPatienceMs !== undefined)
          await this.#awaitRealWork(done, realPatienceMs);
        else if (event === undefined || event.time > deadline) {
          await this.#outsideTurn();
          if (this.#events[0] === event) return;
        } else {
          this.#pop();
          if (event.callback === undefined) this.#cancelled--;
          this.#execute(event);
          await this.#outsideTurn();
        }
      }
    } finally {
      this.#driving = false;
    }
  }

  #execute(event: Event): void {
    const { callback } = event;
    event.callback = undefined;
    if (callback === undefined || event.life?.alive === false) return;
    this.#now = Math.max(this.#now, event.time);
    try {
      callback();
    } catch (error) {
      if (!(error instanceof SimCrash)) throw error;
    }
  }

  /** Nothing is scheduled; something outside virtual time may still be under way. */
  async #awaitRealWork(done: () => boolean, realPatienceMs: number): Promise<void> {
    const start = this.#outside.monotonic();
    while (!done() && this.#events.length === 0) {
      if (this.#outside.monotonic() - start > realPatienceMs) {
        throw new Error(`deadlock: nothing is left to happen at ${this.#now} ms`);
      }
      await this.#outside.sleep(1);
    }
  }

  /**
   * Everything that an event gave rise to runs before virtual time goes on: chains of promises and
   * ticks, of which a stream of Node's takes many. Real work (imports, threads) gets its chance.
   */
  #outsideTurn(): Promise<void> {
    return new Promise((resolve) => this.#outside.nextTurn(resolve));
  }

  /** The timeouts of what is long done would else stay until virtual time gets there. */
  #dropCancelled(): void {
    const most = Math.max(maxCancelledEvents, this.#events.length / 2);
    if (this.#cancelled <= most) return;
    const live = this.#events.filter(({ callback }) => callback !== undefined);
    // What is sorted is a heap.
    this.#events = live.sort((a, b) => (isBefore(a, b) ? -1 : 1));
    this.#cancelled = 0;
  }

  #push(event: Event): void {
    const heap = this.#events;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex] as Event;
      if (!isBefore(event, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = event;
  }

  #pop(): void {
    const heap = this.#events;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (right < heap.length && isBefore(heap[right] as Event, heap[child] as Event)) {
        child = right;
      }
      if (!isBefore(heap[child] as Event, last)) break;
      heap[index] = heap[child] as Event;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
