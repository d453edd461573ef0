import type { System } from '../../system/index.js';
import type { ChunkWriter } from '../spool-format.js';
import {
  type ChainConfig,
  type ChainEffect,
  type ChainEvent,
  type ChainState,
  newChain,
  step,
} from './claims/index.js';
import { EffectRunner } from './effects.js';
import type { FetchedRecords, PartitionFeed } from './feed.js';
import type { ChainId } from './names.js';
import type { Store } from './stores/index.js';

/** What the writers of one sink share, and what one of them is for. */
export interface WriterOptions {
  readonly system: Pick<System, 'clock' | 'disk' | 'log'>;
  readonly store: Store;
  readonly id: ChainId;
  readonly config: ChainConfig;
  readonly feed: PartitionFeed;
  /** Where a chain without claims and committed offset begins. */
  readonly from: 'earliest' | 'latest';
  /** On local disk, for this partition alone. */
  readonly spoolDirectory: string;
  readonly chunks: ChunkWriter;
  /** After each claim that is complete in the store; bytes before compression. */
  readonly onArchived?: (records: number, bytes: number, files: number) => void;
}

/** How a partition's writer stands, for status and metrics. */
export interface WriterStatus {
  /** Everything before it is in the archive. */
  readonly archivedTo: number;
  /** Everything before it is in the archive or the spool. */
  readonly readTo: number;
  readonly spooledRecords: number;
  readonly blocked: string | undefined;
}

/**
 * The writer of one partition: carries out what the claim chain's `step` asks for. It may be closed
 * or killed at any moment; the next one goes on from what is in the store.
 */
export class PartitionWriter {
  readonly #options: WriterOptions;
  readonly #effects: EffectRunner;
  #state: ChainState;
  #isClosed = false;
  #running: Promise<void> = Promise.resolve();
  /** Fetched while the spool is being cut; the first may be taken in part. */
  #held: FetchedRecords[] = [];
  /** The offset with which the held records go on. */
  #heldFrom = -1;
  #until: number | undefined;
  #onIdle: (() => void)[] = [];

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#state = newChain(options.config);
    this.#effects = new EffectRunner(options);
  }

  /** Opens the chain; records may be handed over once the feed was asked to seek. */
  start(): void {
    this.#dispatch({ type: 'open' });
  }

  /** Takes records in, now or when the cut under way is done. */
  take(records: FetchedRecords): void {
    if (this.#isClosed) return;
    // What was fetched before the last seek, or would leave a hole, is fetched again.
    if (records.fetchOffset > this.#heldFrom) return;
    this.#held.push(records);
    this.#heldFrom = Math.max(this.#heldFrom, records.nextOffset);
    this.#pump();
  }

  /** The topic no longer (or not yet) has what was asked for. */
  outOfRange(range: { readonly start: number; readonly end: number }): void {
    if (this.#state.phase !== 'reading' || this.#held.length > 0) return;
    this.#dispatch({ type: 'outOfRange', logStart: range.start, logEnd: range.end });
  }

  /** To be called often (every half second will do): rotation by age, and retries. */
  tick(): void {
    if (!this.#isClosed) this.#dispatch({ type: 'tick' });
  }

  /** Cuts now what is in the spool: memory or disk is needed elsewhere. */
  cut(): void {
    if (!this.#isClosed) this.#dispatch({ type: 'cut' });
  }

  /** Resolves when everything before `until` is in the archive; others may follow. */
  async drain(until: number): Promise<void> {
    if (this.#isClosed) return;
    this.#dispatch({ type: 'drain', until });
    while (!this.#isClosed && !this.#isDrained(until)) {
      await new Promise<void>((resolve) => this.#onIdle.push(resolve));
    }
  }

  /** Stops; resolves when nothing of this writer is under way any more. The spool stays. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake();
    await this.#running;
    this.#effects.close();
  }

  get status(): WriterStatus {
    const { position, spool, blocked } = this.#state;
    return {
      archivedTo: position,
      readTo: spool?.position ?? position,
      spooledRecords: spool?.records ?? 0,
      blocked: blocked?.message,
    };
  }

  /** Bytes on local disk. */
  get spoolBytes(): number {
    return this.#effects.spool?.sizeBytes ?? 0;
  }

  #isDrained(until: number): boolean {
    const { phase, claim, spool } = this.#state;
    if (phase !== 'reading' || claim !== undefined || spool === undefined) return false;
    return spool.position >= until && spool.records === 0;
  }

  #dispatch(event: ChainEvent): void {
    const { clock } = this.#options.system;
    const wasReading = this.#state.phase === 'reading';
    const [state, effects] = step(this.#state, event, clock.now());
    this.#state = state;
    if (wasReading && state.phase !== 'reading') this.#options.feed.pause();
    for (const effect of effects) this.#begin(effect);
    if (state.phase === 'reading') this.#wake();
  }

  #begin(effect: ChainEffect): void {
    if (effect.type === 'alarm') {
      const { topic, partition } = this.#options.id;
      const { code, message } = effect.blocked;
      this.#options.system.log.error(message, { code, topic, partition });
    } else if (effect.type === 'read') {
      this.#running = this.#read(effect.from, effect.until);
    } else {
      this.#running = this.#execute(effect);
    }
  }

  async #execute(effect: ChainEffect): Promise<void> {
    let event: ChainEvent;
    try {
      event = await this.#effects.run(effect);
    } catch (error) {
      this.#options.system.log.warn(`archiving failed, trying again: ${describe(error)}`, {
        topic: this.#options.id.topic,
        partition: this.#options.id.partition,
      });
      event = { type: 'failed' };
    }
    if (!this.#isClosed) this.#dispatch(event);
  }

  /** Goes on with what is held where that fits, else seeks. */
  async #read(from: number, until: number | undefined): Promise<void> {
    const { feed } = this.#options;
    this.#until = until;
    if (this.#held.length > 0 && this.#effects.spool?.level.position === from) {
      // The held records begin where the spool ends: nothing has to be fetched again.
    }
    this.#held = [];
    this.#heldFrom = from;
    feed.seek(from);
    feed.resume();
    this.#pump();
  }

  #pump(): void {}

  #wake(): void {
    const waiting = this.#onIdle;
    this.#onIdle = [];
    for (const resolve of waiting) resolve();
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
