import { detach, type System, type Timer } from '../../system/index.js';
import { ProducerError } from './errors.js';
import type { ProducerRecord } from './record.js';
import type { SendCall } from './send-call.js';

/** What came of an attempt to append a call's records. */
export type Progress = 'done' | 'memoryFull' | 'noMetadata';

/** What the queue needs of the producer. */
export interface SendQueueHost {
  /** Appends as many of the call's records as there is room for. */
  append(call: SendCall): Progress;
  /** Resolves when there may be room, or metadata. */
  writable(): Promise<void>;
  readonly whenFull: 'wait' | 'fail';
}

/** No timer is set for longer: a deadline may be Infinity. */
const MAX_SLEEP_MS = 3_600_000;

/**
 * Calls of `send` that could not be appended at once, oldest first. A later call never overtakes
 * an earlier one that it shares a topic with; for want of memory nobody overtakes anybody.
 */
export class SendQueue {
  /** Wait for memory or a topic. */
  private waiting: SendCall[] = [];
  /** Wait for their turn to be tried. */
  private incoming: SendCall[] = [];
  private readonly blockedTopics = new Set<string>();
  private isMemoryFull = false;
  private isWorking = false;
  private isWaking = false;
  private timer: Timer | undefined;
  private readonly emptyListeners: (() => void)[] = [];

  constructor(
    private readonly clock: System['clock'],
    private readonly host: SendQueueHost,
  ) {}

  /** A call that a callback makes while another is being appended comes behind that one. */
  add(call: SendCall): void {
    this.incoming.push(call);
    if (!this.isWorking) this.work();
  }

  /** Resolves when every call made so far has been appended or has failed. */
  emptied(): Promise<void> {
    if (this.waiting.length === 0 && !this.isWorking) return Promise.resolve();
    return new Promise((resolve) => this.emptyListeners.push(resolve));
  }

  /** Fails all that wait. */
  failAll(reason: Error): void {
    const calls = this.waiting;
    this.waiting = [];
    for (const call of calls) call.failRest(reason);
    this.noteEmpty();
  }

  /** Tries every call in its turn. */
  private work(): void {
    this.isWorking = true;
    // It may grow meanwhile.
    for (let i = 0; i < this.incoming.length; i++) {
      const call = this.incoming[i] as SendCall;
      if (this.mustWait(call)) this.park(call);
      else this.attempt(call);
    }
    this.incoming.length = 0;
    this.isWorking = false;
    if (this.waiting.length > 0) this.wakeLater();
    else this.noteEmpty();
  }

  private mustWait(call: SendCall): boolean {
    if (this.waiting.length === 0) return false;
    return this.isMemoryFull || remainingTopics(call, (topic) => this.blockedTopics.has(topic));
  }

  private attempt(call: SendCall): void {
    const progress = this.host.append(call);
    if (progress === 'done') return;
    if (progress === 'memoryFull') {
      if (this.host.whenFull === 'fail') {
        call.failRest(new ProducerError('MEMORY_FULL', 'the producer holds maxMemoryBytes'));
        return;
      }
      this.isMemoryFull = true;
    }
    this.park(call);
  }

  private park(call: SendCall): void {
    this.waiting.push(call);
    remainingTopics(call, (topic) => {
      this.blockedTopics.add(topic);
      return false;
    });
  }

  private wakeLater(): void {
    this.armTimer();
    if (this.isWaking) return;
    this.isWaking = true;
    const wake = () => {
      this.isWaking = false;
      this.retryAll();
    };
    detach(this.host.writable().then(wake), wake);
  }

  private retryAll(): void {
    this.incoming = this.waiting;
    this.waiting = [];
    this.blockedTopics.clear();
    this.isMemoryFull = false;
    this.work();
  }

  /** The oldest call has the earliest deadline. */
  private armTimer(): void {
    const [oldest] = this.waiting;
    if (this.timer !== undefined || oldest === undefined) return;
    const waitMs = oldest.deadlineMs - this.clock.monotonic();
    this.timer = this.clock.after(Math.min(waitMs, MAX_SLEEP_MS), () => {
      this.timer = undefined;
      this.expire();
    });
  }

  private expire(): void {
    const now = this.clock.monotonic();
    const expired = this.waiting.filter(({ deadlineMs }) => deadlineMs <= now);
    this.waiting = this.waiting.filter(({ deadlineMs }) => deadlineMs > now);
    for (const call of expired) call.failRest(this.reasonFor(call));
    if (this.waiting.length > 0) this.armTimer();
    else this.noteEmpty();
  }

  private reasonFor(call: SendCall): ProducerError {
    if (this.isMemoryFull) {
      return new ProducerError('MEMORY_FULL', 'no memory became free within maxBlockMs');
    }
    const { topic } = call.records[call.next] as ProducerRecord;
    const message = `topic ${topic}: its partitions did not become known within maxBlockMs`;
    return new ProducerError('NO_METADATA', message);
  }

  private noteEmpty(): void {
    if (this.waiting.length > 0 || this.isWorking) return;
    this.timer?.cancel();
    this.timer = undefined;
    for (const resolve of this.emptyListeners.splice(0)) resolve();
  }
}

/** Whether one of the topics of the records that are left passes the test. */
function remainingTopics(call: SendCall, test: (topic: string) => boolean): boolean {
  let last: string | undefined;
  for (let i = call.next; i < call.records.length; i++) {
    const { topic } = call.records[i] as ProducerRecord;
    if (topic !== last && test(topic)) return true;
    last = topic;
  }
  return false;
}
