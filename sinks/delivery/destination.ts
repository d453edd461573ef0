import type { Component, OptionsSchema } from '../../config/index.js';
import type { System } from '../../system/index.js';
import type { RecordWalk } from '../record-view.js';

/**
 * Where records go, and all that differs from one destination to the next. One serves all
 * partitions of a sink, several requests at a time, but only one of each partition. What is cut,
 * stored, repeated, divided, buried and committed is the engine's.
 */
export interface Destination {
  /** How people are told of it, as an address. Without secrets: it is logged. */
  readonly shown: string;
  /**
   * How it can encode records; new cuts are encoded by the first. The name is stored with the cut,
   * so that its body stays the same where the options have changed meanwhile. (A cut in a format
   * that stands here no more is made anew.)
   */
  readonly formats: readonly [string, ...string[]];
  /**
   * The records as the body of one request: the same bytes each time, in other processes too. What
   * it throws counts as `refused`.
   */
  encode(records: RecordWalk, origin: CutOrigin): Buffer;
  /**
   * Sends one request, once, and says what became of it; `accepted` only when it will last. What it
   * throws counts as `unavailable`. `signal` aborts when the sink stops, or the `timeout` is over:
   * then nobody waits for the verdict any more.
   */
  send(delivery: Delivery, signal: AbortSignal): Promise<Verdict>;
  /** Gives free what it holds, within 3 s; what was under way has been aborted. */
  close?(): Promise<void>;
}

/** Of which partition the records are, and how they are encoded. */
export interface CutOrigin {
  readonly topic: string;
  /** 22 characters; the zero id where the broker has none. */
  readonly topicId: string;
  readonly partition: number;
  readonly format: string;
}

/** One request; the same whenever it is repeated. */
export interface Delivery {
  /**
   * `<sink>.<topic id>.<partition>.<first offset>-<last offset>`: whoever has taken this key may
   * leave out what comes with it again.
   */
  readonly key: string;
  readonly format: string;
  readonly body: Buffer;
}

/**
 * What became of a request.
 * - `accepted`: all of it lasts.
 * - `refused`: something in the body is at fault. It is divided until a single record is found.
 * - `denied`: nothing sent there is accepted until a person has mended address or credentials.
 * - `unavailable`: to be sent again, after a back-off that all partitions share;
 *   `retryAfterMs` can only make that longer.
 *
 * All are about the request as a whole. A verdict on each of its records, in their order, would be
 * one kind more, and one event more for `narrowing.ts`.
 */
export type Verdict =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused' | 'denied'; readonly reason: string }
  | {
      readonly kind: 'unavailable';
      readonly reason: string;
      readonly retryAfterMs?: number | undefined;
    };

/** What a destination is made with. */
export interface DestinationContext {
  readonly system: System;
  /** The sink's name in the YAML. */
  readonly name: string;
  /** For one request and its answer. */
  readonly timeoutMs: number;
}

/**
 * A type of destination: `deliverySink` makes a type of sink of it, and puts the options that all
 * destinations share behind its own.
 */
export type DestinationComponent<Schema extends OptionsSchema> = Component<
  Schema,
  DestinationContext,
  Destination
>;
