import { Broker, type BrokerOptions } from '../../broker/index.js';
import { CreateTopics, DeleteTopics, ErrorCode, Metadata } from '../../protocol/index.js';
import { batchesOf } from '../../protocol/records/index.js';
import type { FaultScenario, Simulation } from '../../system/sim/index.js';
import { batchOf, RawClient, SMALL, valuesOf } from './world.js';

/** How the broker ends once the faults are over; `powerLoss` keeps what was synced. */
type Ending = 'stop' | 'kill' | 'powerLoss';
const ENDINGS: readonly Ending[] = ['stop', 'kill', 'powerLoss'];

const OPTIONS: BrokerOptions = {
  dataDir: '/data',
  listeners: [{ listen: { host: '127.0.0.1', port: 9092 } }],
  properties: {
    ...SMALL,
    'auto.create.topics.enable': false,
    'log.retention.check.interval.ms': 700,
    'log.flush.offset.checkpoint.interval.ms': 900,
  },
};

const SMALL_SEGMENTS = [
  { name: 'segment.bytes', value: '700' },
  { name: 'file.delete.delay.ms', value: '800' },
];
/** Every acknowledgement waits for a sync; the oldest records go; neither. */
const TOPICS: Readonly<Record<string, readonly { name: string; value: string }[]>> = {
  safe: [...SMALL_SEGMENTS, { name: 'flush.messages', value: '1' }],
  short: [...SMALL_SEGMENTS, { name: 'retention.bytes', value: '1500' }],
  plain: SMALL_SEGMENTS,
};

/** What the broker has promised of one topic. */
interface Promised {
  /** undefined while nobody knows whether the topic is there. */
  topicId: string | undefined;
  /** Values of acknowledged records, by offset. */
  readonly acknowledged: Map<number, string>;
  /** Values that a reader has seen, by offset. */
  readonly seen: Map<number, string>;
}

/**
 * A broker whose disk fails, and clients who note what they were told: topics are created, filled
 * over several segments, trimmed by retention, deleted and created anew; the broker is stopped and
 * started. Whatever fails, an answer must be true.
 */
export class FaultStory implements FaultScenario {
  readonly process = 'broker';
  private promised = new Map<string, Promised>();
  private broker: Broker | undefined;
  private client: RawClient | undefined;
  private values = 0;

  constructor(readonly seed: number) {}

  async work(sim: Simulation): Promise<void> {
    this.promised = new Map();
    this.broker = undefined;
    this.client = undefined;
    this.values = 0;
    await this.start(sim);
    for (const topic of Object.keys(TOPICS)) await this.create(sim, topic);
    await this.fill(sim, 12);
    await this.sleep(sim, 2000);
    await this.recreate(sim, 'plain');
    await this.fill(sim, 5);
    await this.stop();
    await this.start(sim);
    await this.fill(sim, 4);
    await this.recreate(sim, 'safe');
    await this.fill(sim, 3);
  }

  async check(sim: Simulation, run: number): Promise<void> {
    const ending = ENDINGS[run % ENDINGS.length] ?? 'stop';
    if (ending === 'stop') await this.stop();
    if (ending === 'powerLoss') sim.powerLoss();
    else sim.process('broker').kill();
    this.broker = await Broker.start(OPTIONS, sim.process('broker'));
    this.client = undefined;
    for (const [topic, promised] of this.promised) {
      if (promised.topicId === undefined) continue;
      const durable = ending !== 'powerLoss' || topic === 'safe';
      await this.verify(sim, topic, promised, durable);
    }
    const standing = sim.process('broker').problems.list();
    if (standing.length > 0) throw new Error(`still wrong: ${standing[0]?.text}`);
    await this.broker.stop();
  }

  private async verify(
    sim: Simulation,
    topic: string,
    promised: Promised,
    durable: boolean,
  ): Promise<void> {
    if ((await this.idOf(sim, topic)) !== promised.topicId) throw new Error(`${topic} is gone`);
    const found = await this.read(sim, topic, promised, durable);
    if (found === undefined) throw new Error(`${topic} cannot be read though nothing fails`);
    const { errorCode, baseOffset } = await this.send(sim, topic, 'the last');
    if (errorCode !== ErrorCode.NONE) throw new Error(`${topic} takes nothing: ${errorCode}`);
    const known = [...promised.acknowledged.keys(), ...(durable ? promised.seen.keys() : [])];
    const highest = Math.max(-1, ...known);
    if (durable && baseOffset <= highest) {
      throw new Error(`${topic} gave offset ${baseOffset} away again: ${highest} was known`);
    }
  }

  private async start(sim: Simulation): Promise<void> {
    for (let attempt = 0; attempt < 6 && this.broker === undefined; attempt++) {
      try {
        this.broker = await Broker.start(OPTIONS, sim.process('broker'));
      } catch {
        // It says why it does not start; whoever runs it tries again.
        await this.sleep(sim, 3000);
      }
    }
    this.client = undefined;
  }

  private async stop(): Promise<void> {
    // Where it was not in order the next start finds out.
    await this.broker?.stop().catch(() => {});
    this.broker = undefined;
    this.client = undefined;
  }

  private async fill(sim: Simulation, rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      for (const topic of Object.keys(TOPICS)) await this.append(sim, topic);
      if (round % 3 !== 1) continue;
      for (const [topic, promised] of this.promised) await this.read(sim, topic, promised, true);
    }
  }

  private async append(sim: Simulation, topic: string): Promise<void> {
    const promised = this.promised.get(topic);
    if (promised === undefined) return;
    const value = `${this.values++} ${topic} ${'.'.repeat(60 + ((this.values * 37) % 150))}`;
    for (let attempt = 0; attempt < 3; attempt++) {
      const { errorCode, baseOffset } = await this.send(sim, topic, value);
      if (errorCode === ErrorCode.NONE) {
        note(promised.acknowledged, baseOffset, value, `${topic} acknowledged`);
        return;
      }
      await this.sleep(sim, 1200);
    }
  }

  private async send(sim: Simulation, topic: string, value: string) {
    const refused = { errorCode: -1, baseOffset: -1 };
    const ask = async (client: RawClient) => client.produce(topic, 0, batchOf([value]));
    return (await this.ask(sim, ask)) ?? refused;
  }

  /**
   * Everything that is readable, compared with what is known; undefined where it is refused.
   * `complete`: nothing that was acknowledged may be missing.
   */
  private async read(
    sim: Simulation,
    topic: string,
    { acknowledged, seen }: Promised,
    complete: boolean,
  ): Promise<Map<number, string> | undefined> {
    const found = new Map<number, string>();
    let next = 0;
    let first = 0;
    for (;;) {
      const at = next;
      const answer = await this.ask(sim, (client) => client.fetch(topic, 0, at));
      if (answer?.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE && answer.logStartOffset > next) {
        if (topic !== 'short') throw new Error(`${topic} begins at ${answer.logStartOffset}`);
        next = answer.logStartOffset;
        first = next;
        continue;
      }
      if (answer?.errorCode !== ErrorCode.NONE) return undefined;
      for (const [offset, value] of valuesOf(answer.records)) found.set(offset, value);
      // By batches: an empty one may take the offsets of what a power cut lost.
      const ends = [...batchesOf(answer.records)].map(
        ({ baseOffset, lastOffsetDelta }) => baseOffset + lastOffsetDelta + 1,
      );
      next = Math.max(next, ...ends);
      if (ends.length === 0) {
        if (next < answer.highWatermark) throw new Error(`${topic} cannot be read at ${next}`);
        break;
      }
    }
    for (const [offset, value] of found) note(seen, offset, value, `${topic} gave a reader`);
    for (const [offset, value] of acknowledged) {
      const stands = found.get(offset);
      if (stands === value || offset < first || (stands === undefined && !complete)) continue;
      throw new Error(`${topic} at ${offset}: ${stands} instead of ${value}`);
    }
    return found;
  }

  private async recreate(sim: Simulation, topic: string): Promise<void> {
    const promised = this.promised.get(topic);
    if (promised === undefined) return;
    const body = { topicNames: [topic], timeoutMs: 1000 };
    await this.ask(sim, (client) => client.ask(DeleteTopics, body, 3));
    await this.lookAgain(sim, topic, promised);
    await this.create(sim, topic);
  }

  private async create(sim: Simulation, topic: string): Promise<void> {
    if (this.promised.has(topic)) return;
    const named = { name: topic, numPartitions: 1, replicationFactor: 1, assignments: [] };
    const topics = [{ ...named, configs: [...(TOPICS[topic] ?? [])] }];
    for (let attempt = 0; attempt < 4 && !this.promised.has(topic); attempt++) {
      await this.ask(sim, (client) => client.ask(CreateTopics, { topics, timeoutMs: 1000 }, 4));
      const topicId = await this.idOf(sim, topic);
      if (topicId !== undefined) {
        this.promised.set(topic, { topicId, acknowledged: new Map(), seen: new Map() });
      } else await this.sleep(sim, 1000);
    }
  }

  /** After a deletion that may have failed: is it the same topic still? */
  private async lookAgain(sim: Simulation, topic: string, promised: Promised): Promise<void> {
    if (this.broker === undefined) return;
    if ((await this.idOf(sim, topic)) === promised.topicId) return;
    this.promised.delete(topic);
  }

  private async idOf(sim: Simulation, name: string): Promise<string | undefined> {
    const body = { topics: [{ name }], allowAutoTopicCreation: false };
    const answer = await this.ask(sim, (client) => client.ask(Metadata, body, 12));
    const found = answer?.topics.find((topic) => topic.name === name);
    return found?.errorCode === ErrorCode.NONE ? found.topicId : undefined;
  }

  /** Asks, by a new connection where the last one is gone; undefined where nobody answers. */
  private async ask<T>(
    sim: Simulation,
    question: (client: RawClient) => Promise<T>,
  ): Promise<T | undefined> {
    if (this.broker === undefined) return undefined;
    try {
      this.client ??= await RawClient.connect(sim.process('client'), 9092);
      const { client } = this;
      const closed = client.closed.then(() => {
        throw new Error('closed');
      });
      return await Promise.race([question(client), closed]);
    } catch {
      this.client = undefined;
      return undefined;
    }
  }

  private sleep(sim: Simulation, ms: number): Promise<void> {
    return sim.process('client').clock.sleep(ms);
  }
}

/** Notes what was told of an offset; it must not contradict what was told before. */
function note(told: Map<number, string>, offset: number, value: string, what: string): void {
  const before = told.get(offset);
  if (before !== undefined && before !== value) {
    throw new Error(`${what} ${offset} twice: ${before}, then ${value}`);
  }
  told.set(offset, value);
}
