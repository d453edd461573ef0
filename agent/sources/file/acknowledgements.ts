import { detach } from '../../../system/index.js';
import type { BatchFailure, BatchTicket } from '../../producer.js';
import { failuresAmong } from '../../refusal.js';
import type { Place } from './generation.js';
import { emptyMark } from './mark.js';

/** The lines of one read, on their way. */
export interface Delivery {
  /** Where they end; everything before is acknowledged once this and all earlier ones are. */
  place: Place;
  /** How many records it holds. */
  records: number;
  /** Batches not yet acknowledged, and 1 while lines may still be added. */
  outstanding: number;
  /** The part that lines are added to. */
  run: Run | undefined;
}

/** Lines of one delivery that are in one batch, next to one another. */
export interface Run {
  /** They lie between these bytes of the content. */
  readonly start: number;
  end: number;
  /** Their places among the records of the batch. */
  readonly first: number;
  count: number;
  /** Records of the delivery before them. */
  readonly before: number;
}

/** What the owner of the lines is told. */
export interface AcknowledgementEvents {
  /** `records` more are acknowledged, or nothing but the place has changed. */
  onAdvance(records: number): void;
  /** Everything after the acknowledged place has to be sent again. */
  onFailure(error: Error, records: number): void;
  /**
   * Records of a run were given up. Resolves when each of them is kept elsewhere; undefined where
   * one was not refused for itself and has to be sent again.
   */
  onRefused(failures: readonly BatchFailure[], run: Run): Promise<void> | undefined;
}

/**
 * The contiguous acknowledged prefix of one generation: a position moves only when every batch
 * with a line before it has been acknowledged, in whatever order that happens.
 */
export class Acknowledgements {
  /** Oldest first; the first is not done. */
  #deliveries: Delivery[] = [];
  /** Counts failures: what was sent before one has no say any more. */
  #attempt = 0;
  #acknowledged: Place;

  constructor(
    start: Place = { position: 0, tail: emptyMark },
    private readonly events: AcknowledgementEvents,
  ) {
    this.#acknowledged = start;
  }

  /** Up to here nothing will ever be sent again. */
  get acknowledged(): Place {
    return this.#acknowledged;
  }

  /** Whether all that was sent has been acknowledged. */
  get isDone(): boolean {
    return this.#deliveries.length === 0;
  }

  /** Opens a delivery; `close` it once its lines are appended. */
  open(): Delivery {
    const place = this.#acknowledged;
    const delivery: Delivery = { place, records: 0, outstanding: 1, run: undefined };
    this.#deliveries.push(delivery);
    return delivery;
  }

  /** The delivery's last record, which begins at `start`, is the first of it in this batch. */
  add(delivery: Delivery, ticket: BatchTicket, start: number): void {
    const attempt = this.#attempt;
    endRun(delivery, start, delivery.records - 1);
    const first = ticket.recordCount - 1;
    const run = { start, end: start, first, count: 0, before: delivery.records - 1 };
    delivery.run = run;
    delivery.outstanding++;
    ticket.onDone((error, _, failures) => {
      if (attempt !== this.#attempt) return;
      const own = error ? failuresAmong(failures, run.first, run.count) : [];
      if (own.length === 0) this.#finish(delivery);
      else this.#refused(delivery, run, own);
    });
  }

  /** A record of the delivery goes elsewhere: done when `kept` resolves. It never rejects. */
  await(delivery: Delivery, kept: Promise<void>): void {
    const attempt = this.#attempt;
    delivery.outstanding++;
    const finish = () => {
      if (attempt === this.#attempt) this.#finish(delivery);
    };
    detach(kept.then(finish), (error) => this.#fail(error as Error));
  }

  /** All lines of the delivery are with the producer; they end at `place`. */
  close(delivery: Delivery, place: Place): void {
    endRun(delivery, place.position, delivery.records);
    delivery.place = place;
    this.#finish(delivery);
  }

  /** Everything up to `place` counts as delivered, and later positions mean `place`. */
  rebase(place: Place): void {
    for (const delivery of this.#deliveries) {
      if (delivery.place.position > place.position) delivery.place = place;
    }
    if (this.isDone || this.#acknowledged.position > place.position) this.#acknowledged = place;
    this.events.onAdvance(0);
  }

  #finish(delivery: Delivery): void {
    delivery.outstanding--;
    let done = 0;
    while (this.#deliveries[done]?.outstanding === 0) done++;
    if (done === 0) return;
    let records = 0;
    for (const finished of this.#deliveries.splice(0, done)) {
      this.#acknowledged = finished.place;
      records += finished.records;
    }
    this.events.onAdvance(records);
  }

  #refused(delivery: Delivery, run: Run, failures: readonly BatchFailure[]): void {
    const kept = this.events.onRefused(failures, run);
    if (kept === undefined) {
      this.#fail(failures[0]?.error ?? new Error('refused'));
      return;
    }
    this.await(delivery, kept);
    this.#finish(delivery);
  }

  #fail(error: Error): void {
    this.#attempt++;
    const records = this.#deliveries.reduce((sum, one) => sum + one.records, 0);
    this.#deliveries = [];
    this.events.onFailure(error, records);
  }
}

function endRun(delivery: Delivery, end: number, records: number): void {
  const { run } = delivery;
  if (run === undefined) return;
  run.end = end;
  run.count = records - run.before;
  delivery.run = undefined;
}
