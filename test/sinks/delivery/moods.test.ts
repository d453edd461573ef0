import { expect, it } from 'vitest';
import type { Delivery } from '../../../sinks/delivery/index.js';
import { forEachSeed, type Simulation } from '../../../system/sim/index.js';
import { rounds } from '../../rounds.js';
import { FakeTopic } from '../fake-topic.js';
import {
  type Answer,
  Collector,
  FakeDestination,
  offsetsIn,
  refused,
  startSender,
  unavailable,
} from './delivery-world.js';

const moods = ['good', 'good', 'refuses all', 'unavailable', 'loses answers', 'hangs'] as const;
type Mood = (typeof moods)[number];
/** More than a chunk has room for: such a record goes into an empty one, or makes it grow. */
const LARGE_BYTES = 90_000;

/** Records as they come; some are large, some are refused by every destination. */
function add(topic: FakeTopic, count: number, isLarge: () => boolean): void {
  if (count === 0) return;
  topic.fill(count);
  for (const record of topic.records.splice(-count)) {
    const value = isLarge() ? 'x'.repeat(LARGE_BYTES) : record.value;
    topic.records.push({ ...record, value });
  }
}

/** A destination that keeps what it took by its key, and gives the same answer again. */
class MoodyCollector {
  readonly collector = new Collector();
  mood: Mood = 'good';
  refused = 0;
  requests = 0;
  hasRefusedAll = false;
  readonly #taken = new Set<string>();
  readonly #bodies = new Map<string, Buffer>();

  constructor(readonly isBad: (offset: number) => boolean) {}

  take(delivery: Delivery): Answer {
    const { key, body } = delivery;
    this.requests += 1;
    const before = this.#bodies.get(key) ?? body;
    if (!before.equals(body)) throw new Error(`${key} came back with another body`);
    this.#bodies.set(key, before);
    if (this.mood === 'unavailable') return unavailable;
    if (this.mood === 'hangs') return 'hang';
    const isKnown = this.#taken.has(key);
    if (!isKnown && this.mood === 'refuses all') this.hasRefusedAll = true;
    const isRefused = this.mood === 'refuses all' || offsetsIn(delivery).some(this.isBad);
    if (!isKnown && isRefused) return refused;
    this.#taken.add(key);
    const verdict = this.collector.take(delivery);
    return this.mood === 'loses answers' ? 'lost' : verdict;
  }
}

/** A destination and a dead-letter topic out of order, and kills; then all is well again. */
async function scenario(sim: Simulation): Promise<void> {
  const { random, clock } = sim.process('chance');
  const chance = (share: number) => random.float() < share;
  const below = (limit: number) => Math.floor(random.float() * limit);
  const bad = new Set<number>();
  const rolled = new Map<number, boolean>();
  const isBad = (offset: number) => bad.has(offset);
  const badShare = chance(0.3) ? 0 : 0.15;
  const destination = new MoodyCollector(isBad);
  const topic = new FakeTopic();
  const more = (count: number) => {
    add(topic, count, () => chance(0.05));
    for (const { offset } of topic.records) {
      if (rolled.has(offset)) continue;
      rolled.set(offset, true);
      if (chance(badShare)) bad.add(offset);
    }
  };
  const dead = new Set<number>();
  let isTopicMissing = chance(0.3);
  const deadLetters = {
    async send({ offset }: { readonly offset: number }) {
      if (isTopicMissing) throw new Error('no such topic');
      dead.add(offset);
    },
  };
  const batchRecords = 1 + below(8);
  const start = () => {
    const process = sim.process('sender');
    const end = new FakeDestination(process, (delivery) => destination.take(delivery));
    return startSender(process, topic, end, { batchRecords, batchBytes: 2_000, deadLetters });
  };
  let sender = start();
  for (let turn = 0; turn < 12; turn += 1) {
    destination.mood = moods[below(moods.length)] ?? 'good';
    more(below(10));
    await clock.sleep(below(chance(0.2) ? 90_000 : 3_000));
    if (!chance(0.3)) continue;
    sim.process('sender').kill();
    sender = start();
  }
  destination.mood = 'good';
  isTopicMissing = false;
  // What is held may need another record to tell whose fault it is: these are taken.
  for (let turn = 0; turn < 3; turn += 1) {
    await clock.sleep(120_000);
    add(topic, 1, () => false);
    rolled.set(topic.end - 1, true);
  }
  const before = clock.monotonic();
  await sender.drain(topic.end);
  const lateMs = clock.monotonic() - before;
  if (lateMs > 5_000) throw new Error(`all is well, and it took another ${lateMs} ms`);
  if (sender.status.blocked !== undefined) throw new Error(sender.status.blocked);
  await sender.close();
  const { collector, hasRefusedAll, requests } = destination;
  const { offsets } = collector;
  const wrote = topic.records.map(({ offset }) => offset);
  const there = [...offsets, ...dead].toSorted((a, b) => a - b);
  expect(there).toEqual(wrote);
  expect([...dead].filter((offset) => !bad.has(offset))).toEqual([]);
  if (!hasRefusedAll) expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
  expect(topic.committed).toBe(topic.end);
  expect(requests).toBeLessThan(2_000);
}

it('sends each record once by its key, or buries it if it is at fault, whatever happens', async () => {
  await forEachSeed(
    Array.from({ length: 40 * rounds }, (_, i) => i),
    scenario,
  );
});
