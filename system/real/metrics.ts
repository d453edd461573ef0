import { createRequire } from 'node:module';
import type * as Prometheus from 'prom-client';
import type { Counter, Gauge, Histogram, Labels, Metrics } from '../metrics.js';

/** One line of Prometheus text. */
interface Sample {
  readonly metricName?: string;
  readonly labels: Record<string, string>;
  readonly value: number;
}

/** One labelled instrument; how it is read at a scrape. */
interface Instrument {
  samples(): Sample[];
}

/** All instruments of one name. */
class Family {
  readonly instruments = new Map<string, Instrument>();

  constructor(
    readonly name: string,
    readonly help: string,
    readonly type: 'counter' | 'gauge' | 'histogram',
  ) {}

  /** What prom-client's registry asks of a metric. */
  async get() {
    const values = [...this.instruments.values()].flatMap((instrument) => instrument.samples());
    return { name: this.name, help: this.help, type: this.type, values, aggregator: 'sum' };
  }
}

/**
 * Metrics of this process. Instruments are plain numbers, so that counting costs an addition;
 * prom-client, loaded with the first scrape, renders them and adds those of the process.
 */
export function createMetrics(): Metrics {
  const families = new Map<string, Family>();
  let registry: Prometheus.Registry | undefined;

  const instrument = <T extends Instrument>(
    family: { name: string; help: string; type: Family['type'] },
    labels: Labels,
    create: () => T,
  ): T => {
    let known = families.get(family.name);
    if (known === undefined) {
      known = new Family(family.name, family.help, family.type);
      families.set(family.name, known);
      registry?.registerMetric(asMetric(known));
    }
    if (known.type !== family.type) throw new Error(`${family.name} is a ${known.type}`);
    const key = labelKey(labels);
    // The type is the family's, and it has just been compared.
    const found = known.instruments.get(key) as T | undefined;
    if (found !== undefined) return found;
    const created = create();
    known.instruments.set(key, created);
    return created;
  };

  return {
    counter: (name, help, labels = {}) =>
      instrument({ name, help, type: 'counter' }, labels, () => new RealCounter(labels)),
    gauge: (name, help, labels = {}, read) => {
      const gauge = instrument({ name, help, type: 'gauge' }, labels, () => new RealGauge(labels));
      if (read) gauge.read = read;
      return gauge;
    },
    histogram: (name, help, buckets, labels = {}) =>
      instrument(
        { name, help, type: 'histogram' },
        labels,
        () => new RealHistogram(name, buckets, labels),
      ),
    remove: (name, labels = {}) => {
      families.get(name)?.instruments.delete(labelKey(labels));
    },
    render: () => {
      registry ??= createRegistry(families.values());
      return registry.metrics();
    },
  };
}

function createRegistry(families: Iterable<Family>): Prometheus.Registry {
  const prometheus = createRequire(import.meta.url)('prom-client') as typeof Prometheus;
  const registry = new prometheus.Registry();
  prometheus.collectDefaultMetrics({ register: registry });
  for (const family of families) registry.registerMetric(asMetric(family));
  return registry;
}

/** prom-client's type lists its own classes, but its registry uses only `name` and `get`. */
function asMetric(family: Family): Prometheus.Metric<string> {
  return family as unknown as Prometheus.Metric<string>;
}

function labelKey(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

class RealCounter implements Counter, Instrument {
  value = 0;
  constructor(readonly labels: Labels) {}

  inc(by = 1): void {
    this.value += by;
  }

  samples(): Sample[] {
    return [{ labels: { ...this.labels }, value: this.value }];
  }
}

class RealGauge implements Gauge, Instrument {
  read: (() => number) | undefined;
  #value = 0;
  constructor(readonly labels: Labels) {}

  set(value: number): void {
    this.#value = value;
  }

  samples(): Sample[] {
    return [{ labels: { ...this.labels }, value: this.read ? this.read() : this.#value }];
  }
}

class RealHistogram implements Histogram, Instrument {
  /** Observations up to each bound and above the one before; the last entry is beyond all. */
  readonly #counts: number[];
  #sum = 0;

  constructor(
    readonly name: string,
    readonly bounds: readonly number[],
    readonly labels: Labels,
  ) {
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let index = 0;
    while (index < this.bounds.length && value > (this.bounds[index] as number)) index++;
    this.#counts[index] = (this.#counts[index] as number) + 1;
    this.#sum += value;
  }

  samples(): Sample[] {
    const labels = { ...this.labels };
    const samples: Sample[] = [];
    let count = 0;
    for (const [index, inBucket] of this.#counts.entries()) {
      count += inBucket;
      const le = String(this.bounds[index] ?? '+Inf');
      samples.push({ metricName: `${this.name}_bucket`, labels: { ...labels, le }, value: count });
    }
    samples.push({ metricName: `${this.name}_sum`, labels, value: this.#sum });
    samples.push({ metricName: `${this.name}_count`, labels, value: count });
    return samples;
  }
}
