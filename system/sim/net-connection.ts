import type { Connection, ConnectionEvents } from '../net.js';
import type { Life } from './life.js';
import type { SeededRandom } from './random.js';
import type { Scheduler } from './scheduler.js';

/** What a connection needs of the network it runs over. */
interface Medium {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly network: {
    readonly maxLatencyMs: number;
    readonly dropProbability: number;
    isCut(a: string, b: string): boolean;
  };
}

/** A writer is asked to wait once this much is under way. */
const highWaterBytes = 1024 * 1024;
/** As in the real system, what arrives in one call has at most this size. */
const receiveBufferBytes = 128 * 1024;

/** One end of a simulated TCP connection. */
export class SimConnection implements Connection {
  readonly remoteAddress: string;
  readonly #life: Life;
  readonly #medium: Medium;
  /** The other end; set once, when the pair is made. */
  #peer: SimConnection | undefined;
  #events: ConnectionEvents | undefined;
  /** Written and not yet taken by the peer, in order. */
  #outgoing: Buffer[] = [];
  #queuedBytes = 0;
  #needsDrain = false;
  #paused = false;
  /** Nothing more is written; the peer hears of it after what is queued. */
  #ended = false;
  #closed = false;
  /** A delivery to the peer is scheduled. */
  #flowing = false;
  /** The machine has gone without a word. */
  #silent = false;
  readonly #forget: () => void;
  onGone: () => void = () => {};

  private constructor(side: { life: Life; remoteAddress: string }, medium: Medium) {
    this.#life = side.life;
    this.remoteAddress = side.remoteAddress;
    this.#medium = medium;
    // The kernel ends the connections of a process that dies, after what it had taken.
    this.#forget = side.life.onEnd(() => {
      this.#events = undefined;
      this.#ended = true;
      this.flow();
    });
  }

  static pair(
    near: { life: Life; remoteAddress: string },
    far: { life: Life; remoteAddress: string },
    medium: Medium,
  ): [SimConnection, SimConnection] {
    const a = new SimConnection(near, medium);
    const b = new SimConnection(far, medium);
    a.#peer = b;
    b.#peer = a;
    return [a, b];
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Whose end this is. */
  get processName(): string {
    return this.#life.name;
  }

  handle(events: ConnectionEvents): void {
    this.#events = events;
    this.#peer?.flow();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    this.#life.effect(`send to ${this.remoteAddress}`);
    if (this.#ended || this.#closed) return true;
    for (const chunk of chunks) {
      // A copy: whoever breaks the rule not to reuse the memory is caught by neither system, but
      // the bytes under way must not depend on it.
      this.#outgoing.push(Buffer.from(chunk));
      this.#queuedBytes += chunk.length;
    }
    this.flow();
    this.#needsDrain ||= this.#queuedBytes >= highWaterBytes;
    return !this.#needsDrain;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#peer?.flow();
  }

  end(): void {
    this.#life.check('end a connection');
    this.#ended = true;
    this.flow();
  }

  destroy(error?: Error): void {
    if (this.#closed) return;
    this.#life.check('destroy a connection');
    this.#ended = true;
    this.#close(error);
    this.flow();
  }

  /** Whether this end belongs to process `a`, and the other to `b` where it is given. */
  joins(a: string, b?: string): boolean {
    return this.#life.name === a && (b === undefined || this.#peer?.processName === b);
  }

  /** Both ends see a reset. */
  break(): void {
    for (const end of [this, this.#peer]) {
      if (end === undefined) continue;
      end.#close(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    }
  }

  /** This end vanishes; the other waits for ever. */
  silence(): void {
    this.#silent = true;
    this.#outgoing = [];
    this.#forget();
    this.onGone();
  }

  /** Schedules the next delivery to the peer, where there is one and it may go. */
  flow(): void {
    const peer = this.#peer;
    if (peer === undefined || this.#flowing || this.#silent) return;
    if (this.#outgoing.length === 0 && !this.#ended) return;
    if (!this.#mayDeliverTo(peer)) return;
    this.#flowing = true;
    const { scheduler, random, network } = this.#medium;
    scheduler.after(random.float() * network.maxLatencyMs, undefined, () => {
      this.#flowing = false;
      if (this.#silent || !this.#mayDeliverTo(peer)) return;
      if (network.dropProbability > 0 && random.chance(network.dropProbability)) {
        return this.break();
      }
      this.#deliverTo(peer);
      this.flow();
    });
  }

  #mayDeliverTo(peer: SimConnection): boolean {
    if (peer.#closed || peer.#silent || !peer.#life.alive) {
      this.#peerHasGone(peer);
      return false;
    }
    if (peer.#events === undefined || (peer.#paused && this.#outgoing.length > 0)) return false;
    return !this.#medium.network.isCut(this.#life.name, peer.#life.name);
  }

  /** What is written to a closed connection is dropped. */
  #peerHasGone(peer: SimConnection): void {
    if (peer.#silent) return;
    this.#outgoing = [];
    this.#queuedBytes = 0;
    if (this.#ended) this.#close(undefined);
  }

  #deliverTo(peer: SimConnection): void {
    const bytes = this.#take();
    if (bytes.length > 0) peer.#events?.onData(bytes);
    // Callees must not keep the receive buffer; one that does reads rubbish, as it would for real.
    bytes.fill(0xdb);
    if (this.#outgoing.length > 0) return;
    if (this.#needsDrain && !this.#closed && this.#life.alive) {
      this.#needsDrain = false;
      this.#medium.scheduler.after(0, this.#life, () => {
        if (!this.#closed) this.#events?.onDrain();
      });
    }
    if (!this.#ended) return;
    this.#close(undefined);
    peer.#endOfStream();
  }

  /** The next bytes, cut anywhere. */
  #take(): Buffer {
    const all = Buffer.concat(this.#outgoing);
    const { random } = this.#medium;
    let length = Math.min(all.length, receiveBufferBytes);
    if (length > 0 && random.chance(0.3)) length = 1 + random.below(length);
    this.#outgoing = length < all.length ? [all.subarray(length)] : [];
    this.#queuedBytes = all.length - length;
    return Buffer.from(all.subarray(0, length));
  }

  /** The other end has closed: this one does too, once what it has written is under way. */
  #endOfStream(): void {
    this.#ended = true;
    this.#outgoing = [];
    this.#queuedBytes = 0;
    this.#close(undefined);
  }

  #close(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget();
    this.onGone();
    const events = this.#events;
    this.#events = undefined;
    if (!events || !this.#life.alive) return;
    this.#medium.scheduler.after(0, this.#life, () => events.onClose(error));
  }
}
