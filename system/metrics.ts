/** Label values by label name. */
export type Labels = Readonly<Record<string, string>>;

/** A number that only grows. Bind it once, outside hot paths. */
export interface Counter {
  inc(by?: number): void;
  readonly value: number;
}

/** A number that goes both ways; `set` it, or hand in a function that is read at each scrape. */
export interface Gauge {
  set(value: number): void;
}

/** A distribution in buckets (seconds or bytes, as in the name). */
export interface Histogram {
  observe(value: number): void;
}

/**
 * Prometheus metrics. Names start with `logflume_`, end in their unit (`_bytes`, `_seconds`)
 * and counters in `_total`. The same name and labels give the same instrument.
 */
export interface Metrics {
  counter(name: string, help: string, labels?: Labels): Counter;
  gauge(name: string, help: string, labels?: Labels, read?: () => number): Gauge;
  histogram(name: string, help: string, buckets: readonly number[], labels?: Labels): Histogram;
  /** Forgets one instrument, so that what has gone is neither reported nor kept. */
  remove(name: string, labels?: Labels): void;
  /** Prometheus text format. */
  render(): Promise<string>;
}
