import {
  type ChainEffect,
  type ChainEvent,
  type ChainState,
  newChain,
  step,
} from './claims/index.js';
import { EffectRunner } from './effects.js';
import type { FetchedRecords } from './feed.js';
import type { SpoolLimits } from './spool.js';
import type { WriterOptions } from './writer-options.js';

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
  /** Fetched and not in the spool yet; the first may have been taken in part. */
  #held: FetchedRecords[] = [];
  /** The offset at which the held records begin, and the one with which the topic goes on. */
  #heldFrom = -1;
  #heldTo = -1;
  /** The last offset that is wanted, where a claim is being finished. */
  #until: number | undefined;
  #waiting: (() => void)[] = [];

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
    // Fetched before the last seek: taken, it would repeat records or leave a hole.
    if (records.fetchOffset > this.#heldTo || records.nextOffset <= this.#heldTo) return;
    if (this.#isClosed) return;
    this.#held.push(records);
    this.#heldTo = records.nextOffset;
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
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
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
      this.#until = effect.until;
      this.#running = this.#read(effect.from).catch((error) => this.#fail(error));
    } else {
      this.#running = this.#execute(effect);
    }
  }

  async #execute(effect: Exclude<ChainEffect, { type: 'alarm' | 'read' }>): Promise<void> {
    let event: ChainEvent;
    try {
      event = await this.#effects.run(effect);
    } catch (error) {
      return this.#fail(error);
    }
    if (!this.#isClosed) this.#dispatch(event);
  }

  /** Goes on with what is held where that fits, else seeks: positions are never assumed. */
  async #read(from: number): Promise<void> {
    const { feed } = this.#options;
    const fits = this.#held.length > 0 ? this.#heldFrom === from : this.#heldTo === from;
    if (!fits) {
      this.#forget();
      const range = await feed.range();
      if (this.#isClosed || this.#state.phase !== 'reading' || this.#heldTo !== -1) return;
      if (from < range.start || from > range.end) return this.outOfRange(range);
      this.#heldFrom = from;
      this.#heldTo = from;
      feed.seek(from);
    }
    feed.resume();
    this.#pump();
  }

  #forget(): void {
    this.#held = [];
    this.#heldFrom = -1;
    this.#heldTo = -1;
  }

  /** Puts held records into the spool for as long as they are wanted. */
  #pump(): void {
    const { clock } = this.#options.system;
    for (;;) {
      const next = this.#held[0];
      const { spool } = this.#effects;
      if (this.#isClosed || this.#state.phase !== 'reading') return;
      if (next === undefined || spool === undefined) return;
      const { records, nextOffset } = next;
      try {
        const outcome = spool.append(records, nextOffset, this.#limits(), clock.now());
        this.#heldFrom = spool.level.position;
        if (outcome === 'all') this.#held.shift();
        else if (outcome === 'until') this.#forget();
      } catch (error) {
        this.#forget();
        this.#fail(error);
        return;
      }
      this.#dispatch({ type: 'spooled', spool: spool.level });
    }
  }

  #limits(): SpoolLimits {
    const { sizeBytes, records } = this.#options.config.rotation;
    const until = this.#until;
    // What is already claimed is not cut again.
    if (until !== undefined) return { until, records: undefined, sizeBytes: Infinity };
    return { until, records, sizeBytes };
  }

  #fail(error: unknown): void {
    const { topic, partition } = this.#options.id;
    const { log } = this.#options.system;
    log.warn(`archiving failed, trying again: ${describe(error)}`, { topic, partition });
    if (!this.#isClosed) this.#dispatch({ type: 'failed' });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
