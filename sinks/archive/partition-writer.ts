import type { FetchedRecords } from '../feed.js';
import { Intake } from '../intake.js';
import type { PartitionWorker, WorkerStatus } from '../worker.js';
import {
  type ChainEffect,
  type ChainEvent,
  type ChainState,
  newChain,
  step,
} from './claims/index.js';
import { EffectRunner } from './effects.js';

import type { Spool, SpoolLimits } from './spool.js';
import type { WriterOptions } from './writer-options.js';

/** So many in a row may be a broker that starts anew: no problem yet. */
const PASSING_FAILURES = 2;

/**
 * The writer of one partition: carries out what the claim chain's `step` asks for. It may be closed
 * or killed at any moment; the next one goes on from what is in the store.
 */
export class PartitionWriter implements PartitionWorker {
  readonly #options: WriterOptions;
  readonly #effects: EffectRunner;
  readonly #state: ChainState;
  #isClosed = false;
  #running: Promise<void> = Promise.resolve();
  readonly #intake: Intake;
  /** The last offset that is wanted, where a claim is being finished. */
  #until: number | undefined;
  #waiting: (() => void)[] = [];
  readonly #problem: string;

  constructor(options: WriterOptions) {
    this.#options = options;
    const { sink, topic, partition } = options.id;
    this.#problem = `sink ${sink}, topic ${topic}, partition ${partition}`;
    this.#state = newChain(options.config);
    this.#effects = new EffectRunner(options);
    this.#intake = new Intake(options.feed);
  }

  start(): void {
    this.#dispatch({ type: 'open' });
  }

  take(records: FetchedRecords): void {
    if (this.#isClosed) records.release();
    else if (this.#intake.offer(records)) this.#pump();
    else if (this.#state.phase === 'reading') this.#readAgain();
  }

  tick(): void {
    if (!this.#isClosed) this.#dispatch({ type: 'tick' });
  }

  cut(): void {
    if (!this.#isClosed) this.#dispatch({ type: 'cut' });
  }

  async drain(until: number): Promise<void> {
    if (this.#isClosed) return;
    this.#dispatch({ type: 'drain', until });
    while (!this.#isClosed && !this.#isDrained(until)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (!this.#isClosed) this.#dispatch({ type: 'drain', until: undefined });
  }

  /** The spool stays. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake();
    await this.#running;
    this.#effects.close();
    this.#options.system.problems.clear(this.#problem);
  }

  get status(): WorkerStatus {
    const { position, spool, blocked } = this.#state;
    return {
      doneTo: position,
      readTo: spool?.position ?? position,
      heldRecords: spool?.records ?? 0,
      heldBytes: this.#effects.spool?.sizeBytes ?? 0,
      blocked: blocked?.message,
    };
  }

  #isDrained(until: number): boolean {
    const { phase, claim, spool } = this.#state;
    if (phase !== 'reading' || claim !== undefined || spool === undefined) return false;
    return spool.position >= until && spool.records === 0;
  }

  #dispatch(event: ChainEvent): void {
    const { clock } = this.#options.system;
    const state = this.#state;
    const wasReading = state.phase === 'reading';
    const effects = step(state, event, clock.monotonic());
    if (wasReading && state.phase !== 'reading') this.#intake.pause();
    if (state.failures === 0) this.#options.system.problems.clear(this.#problem);
    for (const effect of effects) this.#begin(effect);
    if (state.phase === 'reading') this.#wake();
  }

  #begin(effect: ChainEffect): void {
    if (effect.type === 'alarm') {
      const { code, message } = effect.blocked;
      this.#raise(message, { code });
    } else if (effect.type === 'read') {
      this.#until = effect.until;
      this.#beginRead(effect.from);
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

  async #read(from: number): Promise<void> {
    const outcome = await this.#intake.read(from);
    if (this.#isClosed || outcome === 'superseded') return;
    if (outcome === 'reading') this.#pump();
    else this.#dispatch({ type: 'outOfRange', logStart: outcome.start, logEnd: outcome.end });
  }

  /** The topic did not go on where the spool ends: it lost records, or was read anew. */
  #readAgain(): void {
    const { spool } = this.#effects;
    this.#intake.pause();
    this.#intake.forget();
    if (spool !== undefined) this.#beginRead(spool.level.position);
  }

  #beginRead(from: number): void {
    this.#running = this.#read(from).catch((error) => this.#fail(error));
  }

  /** Puts what was fetched into the spool for as long as it is wanted. */
  #pump(): void {
    const intake = this.#intake;
    for (;;) {
      const { head } = intake;
      const { spool, live } = this.#effects;
      if (this.#isClosed || this.#state.phase !== 'reading') return;
      if (head === undefined || spool === undefined) return;
      let outcome: ReturnType<Spool['append']>;
      try {
        outcome = spool.append(head, this.#limits(), live);
        if (outcome === 'until') intake.forget();
        else intake.use(spool.level.position, outcome === 'all');
      } catch (error) {
        intake.forget();
        this.#fail(error);
        return;
      }
      this.#dispatch({ type: 'spooled', spool: spool.level });
      // The spool is cut now: records are wanted again when it has been.
      if (outcome === 'full') return;
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
    const message = `archiving failed, trying again: ${describe(error)}`;
    if (!this.#isClosed && this.#state.failures >= PASSING_FAILURES) this.#raise(message);
    else log.warn(message, { topic, partition });
    if (!this.#isClosed) this.#dispatch({ type: 'failed' });
  }

  #raise(message: string, fields?: { readonly code: string }): void {
    const { id, system } = this.#options;
    const { topic, partition } = id;
    system.problems.raise(this.#problem, message, { topic, partition, ...fields });
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
