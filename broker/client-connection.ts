import { type FrameMemory, FrameSplitter, ProtocolError } from '../protocol/index.js';
import {
  type Clock,
  type Connection,
  type Counter,
  detach,
  type Log,
  type Timer,
} from '../system/index.js';
import type { ByteBudget } from './byte-budget.js';

/** Bytes of answers that are gathered for one write. */
const MAX_GATHERED_BYTES = 64 * 1024;
/** Requests up to this size need no room in the budget before they are read. */
const SMALL_REQUEST_BYTES = 64 * 1024;
/**
 * A large request holds room that others wait for: in each such time a tenth of it has to arrive.
 * Kafka's clients give a request up that takes so long altogether.
 */
const MAX_STALL_MS = 30_000;
const MIN_PROGRESS = 1 / 10;
/** Bytes of requests that may wait or be worked on before reading from the client stops. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** Requests of one client that may be worked on at once. */
const MAX_RUNNING = 64;

/** The bytes of an answer; undefined where the protocol wants none (acks=0). */
export type Answer = Uint8Array[] | undefined;

/** What a client's requests need to know of its connection. */
export interface ClientOfRequest {
  /**
   * Runs `callback` once when the connection closes or is about to: whoever waits on its behalf
   * should answer with what there is. Returns a function that forgets it.
   */
  onEnding(callback: () => void): () => void;
  /**
   * Sets bytes aside for the answer of the request that is being worked on, in place of what was
   * set aside before; they count until the client has taken the answer.
   * Returns how many it may have: `wantedBytes`, or less where memory is short, down to 0.
   */
  reserveAnswer(wantedBytes: number): number;
  /** Says how many bytes of those set aside the answer has come to. */
  holdAnswer(bytes: number): void;
}

/** What a connection needs from its server. */
export interface ConnectionHost {
  readonly clock: Clock;
  readonly log: Log;
  readonly maxRequestBytes: number;
  readonly maxIdleMs: number;
  /** Requests that may wait here before reading stops. */
  readonly maxWaiting: number;
  /** Bytes of requests that are here, of all clients. */
  readonly requestBytes: ByteBudget;
  /** Bytes of answers that were not taken yet, of all clients. */
  readonly answerBytes: ByteBudget;
  readonly receivedBytes: Counter;
  readonly sentBytes: Counter;
  /** Memory of requests that are done with. */
  readonly frameMemory: FrameMemory;
  /**
   * Produce requests may start while earlier ones of their client still wait for their answer;
   * and once they have started, nothing refers to their frame any more.
   */
  isProduce(frame: Buffer): boolean;
  /** Bytes that one more answer may have. */
  answerRoom(): number;
  /** Works on a request. Throws or rejects where the connection has to be closed. */
  answer(frame: Buffer, client: ClientOfRequest): Answer | Promise<Answer>;
}

/** A request that has not started. */
interface Waiting {
  frame: Buffer;
  /** The frame is a view of the receive buffer, good for the call in which it came. */
  isView: boolean;
}

/** A place in the order of answers. */
interface Slot {
  readonly requestBytes: number;
  answer: Answer;
  done: boolean;
}

/**
 * One client. Requests are answered in the order in which they came. As in Kafka, one starts when
 * the one before is answered; only produce requests may start earlier, so that many can wait for
 * one sync of the disk. Reading stops while too many bytes of requests are here, and no request
 * starts while the client does not take its answers: memory is bounded in both directions.
 */
export class ClientConnection implements ClientOfRequest {
  private readonly splitter: FrameSplitter;
  private readonly waiting: Waiting[] = [];
  /** Answers in the order of their requests; the first is the oldest. */
  private readonly slots: Slot[] = [];
  /** Requests that are being worked on. */
  private running = 0;
  /** Bytes of the answers in `slots`. */
  private gatheredBytes = 0;
  /** Bytes in the budget for a large request of which a part has arrived. */
  private reservedBytes = 0;
  /** A large request waits for room in the budget. */
  private awaitsRoom = false;
  private stallTimer: Timer | undefined;
  /** Bytes that have come in. */
  private arrivedBytes = 0;
  /** Bytes in the budget for answers: set aside, or not taken by the client when last looked. */
  private reservedAnswerBytes = 0;
  private queuedAnswerBytes = 0;
  /** Whether all of them let others start beside them. */
  private allPipelined = true;
  /** Bytes of the requests in `waiting` and of those without an answer. */
  private bufferedBytes = 0;
  private paused = false;
  /** The client is slow to take answers: wait for the drain. */
  private blocked = false;
  private draining = false;
  private ended = false;
  /** Closed, or about to be: nothing is begun or sent any more. */
  private isOver = false;
  private lastActiveMs: number;
  private idleTimer: Timer | undefined;
  private readonly endCallbacks = new Set<() => void>();

  constructor(
    private readonly connection: Connection,
    private readonly host: ConnectionHost,
    private readonly onClosed: () => void,
  ) {
    this.splitter = new FrameSplitter(host.maxRequestBytes, host.frameMemory);
    this.lastActiveMs = host.clock.monotonic();
    this.checkIdle();
    connection.handle({
      onData: (bytes) => this.receive(bytes),
      onDrain: () => this.drained(),
      onClose: () => this.closed(),
    });
  }

  private get remoteAddress(): string {
    return this.connection.remoteAddress;
  }

  onEnding(callback: () => void): () => void {
    this.endCallbacks.add(callback);
    return () => this.endCallbacks.delete(callback);
  }

  /** Answers what is here, takes nothing more, and closes. */
  drain(): void {
    this.draining = true;
    this.connection.pause();
    this.end();
    this.endIfDrained();
  }

  /** Closes at once. */
  destroy(): void {
    this.isOver = true;
    this.connection.destroy();
  }

  reserveAnswer(wantedBytes: number): number {
    this.holdAnswer(0);
    this.holdAnswer(Math.min(wantedBytes, this.host.answerRoom()));
    return this.reservedAnswerBytes;
  }

  holdAnswer(bytes: number): void {
    const { answerBytes } = this.host;
    answerBytes.give(this.reservedAnswerBytes);
    this.reservedAnswerBytes = this.isOver ? 0 : bytes;
    answerBytes.take(this.reservedAnswerBytes);
  }

  /** Looks how much of what was sent the client has not taken. */
  measureOutput(): void {
    const { queuedBytes } = this.connection;
    const { answerBytes } = this.host;
    const before = this.queuedAnswerBytes;
    this.queuedAnswerBytes = queuedBytes;
    if (queuedBytes > before) answerBytes.take(queuedBytes - before);
    else if (queuedBytes < before) answerBytes.give(before - queuedBytes);
  }

  private receive(bytes: Buffer): void {
    if (this.isOver) return;
    this.lastActiveMs = this.host.clock.monotonic();
    this.arrivedBytes += bytes.length;
    this.host.receivedBytes.inc(bytes.length);
    try {
      this.splitter.push(bytes, this.take, true);
    } catch (error) {
      this.fail(error);
      return;
    }
    this.reserveRoom();
    this.work();
    for (const waiting of this.waiting) this.own(waiting);
  }

  /** A large request that has begun needs room; until there is some, nothing more is read. */
  private reserveRoom(): void {
    const size = this.splitter.pendingBytes;
    if (size <= SMALL_REQUEST_BYTES || this.reservedBytes > 0 || this.awaitsRoom) return;
    this.awaitsRoom = true;
    this.host.requestBytes.request(this, size, () => {
      this.awaitsRoom = false;
      this.reservedBytes = size;
      this.watchStall();
      // From a grant within this turn `work` follows anyway.
      if (this.paused) this.work();
    });
  }

  private watchStall(): void {
    const { clock } = this.host;
    const before = this.arrivedBytes;
    const wasPaused = this.paused;
    this.stallTimer = clock.after(MAX_STALL_MS, () => {
      if (this.reservedBytes === 0) return;
      const isSlow = this.arrivedBytes - before < this.reservedBytes * MIN_PROGRESS;
      const isOurs = wasPaused || this.paused;
      if (isSlow && !isOurs) this.fail(new ProtocolError('TRUNCATED', 'it stopped amid a request'));
      else this.watchStall();
    });
  }

  private cancelRoom(): void {
    this.host.requestBytes.cancel(this);
    this.awaitsRoom = false;
  }

  private releaseRoom(): void {
    this.stallTimer?.cancel();
    this.host.requestBytes.give(this.reservedBytes);
    this.reservedBytes = 0;
  }

  private readonly take = (frame: Buffer, isView: boolean): void => {
    const waiting = { frame, isView };
    // What a produce request carries is in the log once it has started; others keep parts.
    if (!this.host.isProduce(frame)) this.own(waiting);
    this.waiting.push(waiting);
    this.bufferedBytes += frame.length;
    this.host.requestBytes.take(frame.length);
    if (isView) return;
    if (this.reservedBytes > 0) this.releaseRoom();
    if (this.awaitsRoom) this.cancelRoom();
  };

  /** Gives a request memory of its own: it has to wait beyond the call in which it came. */
  private own(waiting: Waiting): void {
    if (!waiting.isView) return;
    const frame = this.host.frameMemory.take(waiting.frame.length);
    waiting.frame.copy(frame);
    waiting.frame = frame;
    waiting.isView = false;
  }

  /** Starts what may start, sends what is ready, and tells the client whether to go on. */
  private work(): void {
    while (this.mayStart()) this.start(this.waiting.shift() as Waiting);
    this.send();
    const full = this.isFull();
    if (full !== this.paused && !this.draining && !this.isOver) {
      this.paused = full;
      if (full) this.connection.pause();
      else this.connection.resume();
    }
    this.endIfDrained();
  }

  private isFull(): boolean {
    if (this.awaitsRoom || this.bufferedBytes > MAX_BUFFERED_BYTES) return true;
    const waits = this.waiting.length;
    // What waits here will be worked on whether or not others make room.
    return waits >= this.host.maxWaiting || (waits > 0 && this.host.requestBytes.freeBytes === 0);
  }

  private mayStart(): boolean {
    const next = this.waiting[0];
    if (next === undefined || this.blocked || this.isOver) return false;
    if (this.running === 0) return true;
    return this.running < MAX_RUNNING && this.allPipelined && this.host.isProduce(next.frame);
  }

  private start({ frame, isView }: Waiting): void {
    const slot: Slot = { requestBytes: frame.length, answer: undefined, done: false };
    this.slots.push(slot);
    const isProduce = this.host.isProduce(frame);
    try {
      const answer = this.host.answer(frame, this);
      if (isProduce && !isView) this.host.frameMemory.give(frame);
      if (answer instanceof Promise) {
        this.allPipelined = isProduce;
        this.running++;
        const worked = answer.then((late) => {
          this.running--;
          this.finish(slot, late);
          this.work();
        });
        detach(worked, (error) => this.fail(error));
      } else {
        this.finish(slot, answer);
        // The next one starts only where the client has taken what came before.
        if (this.gatheredBytes > MAX_GATHERED_BYTES) this.send();
      }
    } catch (error) {
      this.fail(error);
    }
  }

  private finish(slot: Slot, answer: Answer): void {
    slot.answer = answer;
    slot.done = true;
    if (this.isOver) return;
    for (const chunk of answer ?? []) this.gatheredBytes += chunk.length;
    this.bufferedBytes -= slot.requestBytes;
    this.host.requestBytes.give(slot.requestBytes);
    this.lastActiveMs = this.host.clock.monotonic();
  }

  /** Hands over every answer whose turn it is, with one write. */
  private send(): void {
    if (this.slots[0]?.done !== true || this.isOver) return;
    const chunks: Uint8Array[] = [];
    while (this.slots[0]?.done === true) {
      for (const chunk of this.slots.shift()?.answer ?? []) {
        chunks.push(chunk);
        this.gatheredBytes -= chunk.length;
        this.host.sentBytes.inc(chunk.length);
      }
    }
    if (chunks.length > 0 && !this.connection.write(chunks)) this.blocked = true;
    if (this.running > 0) return;
    this.measureOutput();
    if (this.reservedAnswerBytes > 0) this.holdAnswer(0);
  }

  private drained(): void {
    this.blocked = false;
    this.measureOutput();
    this.work();
  }

  private endIfDrained(): void {
    if (!this.draining || this.ended || this.blocked) return;
    if (this.waiting.length > 0 || this.slots.length > 0) return;
    this.ended = true;
    this.connection.end();
  }

  /** The client sent what cannot be answered, or a handler failed: nothing can follow. */
  private fail(error: unknown): void {
    if (this.isOver) return;
    const { log } = this.host;
    const client = this.remoteAddress;
    if (error instanceof ProtocolError) {
      log.warn(`closing the connection of ${client}: ${error.message}`, { code: error.code });
    } else {
      log.error(`closing the connection of ${client}: a request failed`, { error });
    }
    this.destroy();
  }

  private checkIdle(): void {
    const { clock, maxIdleMs } = this.host;
    if (maxIdleMs === Number.POSITIVE_INFINITY) return;
    const idleMs = clock.monotonic() - this.lastActiveMs;
    if (idleMs >= maxIdleMs && this.slots.length === 0) {
      this.connection.end();
      return;
    }
    const delayMs = idleMs >= maxIdleMs ? maxIdleMs : maxIdleMs - idleMs;
    this.idleTimer = clock.after(delayMs, () => this.checkIdle());
  }

  private closed(): void {
    this.isOver = true;
    this.idleTimer?.cancel();
    this.waiting.length = 0;
    this.giveBack();
    this.end();
    this.onClosed();
  }

  /** What it holds of the budgets. A handler that still works gives its answer to nobody. */
  private giveBack(): void {
    const { requestBytes, answerBytes } = this.host;
    this.cancelRoom();
    this.releaseRoom();
    requestBytes.give(this.bufferedBytes);
    this.bufferedBytes = 0;
    answerBytes.give(this.reservedAnswerBytes + this.queuedAnswerBytes);
    this.reservedAnswerBytes = 0;
    this.queuedAnswerBytes = 0;
  }

  private end(): void {
    const callbacks = [...this.endCallbacks];
    this.endCallbacks.clear();
    for (const callback of callbacks) callback();
  }
}
