import type { BatchTicket } from '../../producer.js';
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
    private readonly onAdvance: (records: number) => void,
    private readonly onFailure: (error: Error, records: number) => void,
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
    const delivery = { place: this.#acknowledged, records: 0, outstanding: 1 };
    this.#deliveries.push(delivery);
    return delivery;
  }

  /** A batch holds lines of this delivery. */
  add(delivery: Delivery, ticket: BatchTicket): void {
    const attempt = this.#attempt;
    delivery.outstanding++;
    ticket.onDone((error) => {
      if (attempt !== this.#attempt) return;
      if (error) this.#fail(error);
      else this.#finish(delivery);
    });
  }

  /** All lines of the delivery are with the producer; they end at `place`. */
  close(delivery: Delivery, place: Place): void {
    delivery.place = place;
    this.#finish(delivery);
  }

  /** Everything up to `place` counts as delivered, and later positions mean `place`. */
  rebase(place: Place): void {
    for (const delivery of this.#deliveries) {
      if (delivery.place.position > place.position) delivery.place = place;
    }
    if (this.isDone || this.#acknowledged.position > place.position) this.#acknowledged = place;
    this.onAdvance(0);
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
    this.onAdvance(records);
  }

  #fail(error: Error): void {
    this.#attempt++;
    const records = this.#deliveries.reduce((sum, one) => sum + one.records, 0);
    this.#deliveries = [];
    this.onFailure(error, records);
  }
}
