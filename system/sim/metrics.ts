import type { Counter, Gauge, Histogram, Labels, Metrics } from '../metrics.js';

/** Metrics in memory; a histogram keeps the count and the sum of what it observed. */
export class SimMetrics implements Metrics {
  readonly #values = new Map<string, () => number>();
  readonly #instruments = new Map<string, Counter | Gauge | Histogram>();

  /** The current value; undefined where there is no such metric. */
  value(name: string, labels: Labels = {}): number | undefined {
    return this.#values.get(keyOf(name, labels))?.();
  }

  counter(name: string, _help: string, labels: Labels = {}): Counter {
    return this.#once(keyOf(name, labels), (key) => {
      const counter = {
        value: 0,
        inc(by = 1) {
          counter.value += by;
        },
      };
      this.#values.set(key, () => counter.value);
      return counter;
    });
  }

  gauge(name: string, _help: string, labels: Labels = {}, read?: () => number): Gauge {
    return this.#once(keyOf(name, labels), (key) => {
      let current = 0;
      this.#values.set(key, read ?? (() => current));
      return {
        set: (value: number) => {
          current = value;
        },
      };
    });
  }

  histogram(
    name: string,
    _help: string,
    _buckets: readonly number[],
    labels: Labels = {},
  ): Histogram {
    return this.#once(keyOf(name, labels), () => {
      let count = 0;
      let sum = 0;
      this.#values.set(keyOf(`${name}_count`, labels), () => count);
      this.#values.set(keyOf(`${name}_sum`, labels), () => sum);
      return {
        observe: (value: number) => {
          count++;
          sum += value;
        },
      };
    });
  }

  remove(name: string, labels: Labels = {}): void {
    this.#values.delete(keyOf(name, labels));
    this.#instruments.delete(keyOf(name, labels));
  }

  async render(): Promise<string> {
    return [...this.#values].map(([key, read]) => `${key} ${read()}\n`).join('');
  }

  #once<T extends Counter | Gauge | Histogram>(key: string, create: (key: string) => T): T {
    const known = this.#instruments.get(key);
    // The same name is always the same kind of instrument.
    if (known) return known as T;
    const created = create(key);
    this.#instruments.set(key, created);
    return created;
  }
}

/** As Prometheus writes it: `name{label="value"}`. */
function keyOf(name: string, labels: Labels): string {
  const pairs = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, value]) => `${label}="${value}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}
