import { type FrameMemory, FrameSplitter, ProtocolError } from '../protocol/index.js';
import {
  type Clock,
  type Connection,
  type Counter,
  detach,
  type Log,
  type Timer,
} from '../system/index.js';

/** Bytes of requests that may wait or be worked on before reading from the client stops. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** Requests of one client that may be worked on at once. */
const MAX_RUNNING = 64;

/** The bytes of an answer; undefined where the protocol wants none (acks=0). */
export type Answer = Uint8Array[] | undefined;

/** What a client's requests need to know of its connection. */
export interface ClientOfRequest {
  /** As `1.2.3.4:5678`. */
  readonly remoteAddress: string;
  /**
   * Runs `callback` once when the connection closes or is about to: whoever waits on its behalf
   * should answer with what there is. Returns a function that forgets it.
   */
  onEnding(callback: () => void): () => void;
}

/** What a connection needs from its server. */
export interface ConnectionHost {
  readonly clock: Clock;
  readonly log: Log;
  readonly maxRequestBytes: number;
  readonly maxIdleMs: number;
  readonly receivedBytes: Counter;
  readonly sentBytes: Counter;
  /** Memory of requests that are done with. */
  readonly frameMemory: FrameMemory;
  /**
   * Produce requests may start while earlier ones of their client still wait for their answer;
   * and once they have started, nothing refers to their frame any more.
   */
  isProduce(frame: Buffer): boolean;
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
  /** Whether all of them let others start beside them. */
  private allPipelined = true;
  /** Bytes of the requests in `waiting` and of those without an answer. */
  private bufferedBytes = 0;
  private paused = false;
  /** The client is slow to take answers: wait for the drain. */
  private blocked = false;
  private draining = false;
  private ended = false;
  private isClosed = false;
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

  get remoteAddress(): string {
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
    this.connection.destroy();
  }

  private receive(bytes: Buffer): void {
    this.lastActiveMs = this.host.clock.monotonic();
    this.host.receivedBytes.inc(bytes.length);
    try {
      this.splitter.push(bytes, this.take, true);
    } catch (error) {
      this.fail(error);
      return;
    }
    this.work();
    for (const waiting of this.waiting) this.own(waiting);
  }

  private readonly take = (frame: Buffer, isView: boolean): void => {
    const waiting = { frame, isView };
    // What a produce request carries is in the log once it has started; others keep parts.
    if (!this.host.isProduce(frame)) this.own(waiting);
    this.waiting.push(waiting);
    this.bufferedBytes += frame.length;
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
    const full = this.bufferedBytes > MAX_BUFFERED_BYTES;
    if (full !== this.paused && !this.draining && !this.isClosed) {
      this.paused = full;
      if (full) this.connection.pause();
      else this.connection.resume();
    }
    this.endIfDrained();
  }

  private mayStart(): boolean {
    const next = this.waiting[0];
    if (next === undefined || this.blocked || this.isClosed) return false;
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
      }
    } catch (error) {
      this.fail(error);
    }
  }

  private finish(slot: Slot, answer: Answer): void {
    slot.answer = answer;
    slot.done = true;
    this.bufferedBytes -= slot.requestBytes;
    this.lastActiveMs = this.host.clock.monotonic();
  }

  /** Hands over every answer whose turn it is, with one write. */
  private send(): void {
    if (this.slots[0]?.done !== true || this.isClosed) return;
    const chunks: Uint8Array[] = [];
    while (this.slots[0]?.done === true) {
      for (const chunk of this.slots.shift()?.answer ?? []) {
        chunks.push(chunk);
        this.host.sentBytes.inc(chunk.length);
      }
    }
    if (chunks.length > 0 && !this.connection.write(chunks)) this.blocked = true;
  }

  private drained(): void {
    this.blocked = false;
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
    if (this.isClosed) return;
    const { log } = this.host;
    const client = this.remoteAddress;
    if (error instanceof ProtocolError) {
      log.warn(`closing the connection of ${client}: ${error.message}`, { code: error.code });
    } else {
      log.error(`closing the connection of ${client}: a request failed`, { error });
    }
    this.connection.destroy();
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
    this.isClosed = true;
    this.idleTimer?.cancel();
    this.waiting.length = 0;
    this.end();
    this.onClosed();
  }

  private end(): void {
    const callbacks = [...this.endCallbacks];
    this.endCallbacks.clear();
    for (const callback of callbacks) callback();
  }
}
