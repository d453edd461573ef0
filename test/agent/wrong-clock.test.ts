import { beforeAll, describe, expect, it } from 'vitest';
import { Agent, agentSection } from '../../agent/index.js';
import { Broker } from '../../broker/index.js';
import { Consumer } from '../../client/index.js';
import { loadCodec } from '../../protocol/records/index.js';
import { createSimSystem, type Simulation } from '../../system/sim/index.js';
import { lines, Writer } from './file-world.js';

const hour = 3_600_000;
/** The agent's machine; the broker's clock is right. */
const ours = '10.0.0.2';
const address = '10.0.0.1:9092';
const partitions = 3;
/** It takes what it can hold at any time. */
const strict = {
  'max.message.bytes': 2_000,
  'message.timestamp.type': 'LogAppendTime',
};
const topics = {
  logs: { partitions },
  mail: { partitions: 1 },
  strict: { partitions: 1, properties: strict },
  dead: { partitions: 1 },
};

interface Read {
  readonly key: string;
  readonly value: string;
  readonly timestamp: number;
}

const usual = {
  app: { type: 'file', include: ['/log/*.log'], topic: 'logs', key: '{path}' },
  post: { type: 'maildrop', directory: '/drop', topic: 'mail', key: '{name}' },
};
const large = { app: { type: 'file', include: ['/log/*.log'], topic: 'strict', key: '{path}' } };

function startAgent(
  sim: Simulation,
  producer: Record<string, unknown>,
  sources: Record<string, unknown> = usual,
): Promise<Agent> {
  const config = agentSection().parse({ producer, dead_letter: 'dead', sources });
  const kafka = { bootstrap: [address], client_id: 'test' };
  return Agent.start(sim.process('agent', { host: ours }), { config, kafka, dataDir: '/data' });
}

/** All records of a topic, in the order of each partition. */
async function readTopic(sim: Simulation, topic: keyof typeof topics): Promise<Read[]> {
  const reader = sim.process('reader', { host: ours });
  const consumer = new Consumer({ bootstrap: [address] }, reader);
  const all = Array.from({ length: topics[topic].partitions }, (_, partition) => partition);
  await consumer.assign(
    all.map((partition) => ({ topic, partition, position: 'beginning' as const })),
  );
  const found: Read[] = [];
  const reading = (async () => {
    for await (const batch of consumer.batches()) {
      const cursor = batch.cursor();
      while (cursor.next()) {
        const { timestamp } = cursor;
        found.push({ key: String(cursor.key()), value: String(cursor.value()), timestamp });
      }
    }
  })();
  await reader.clock.sleep(3_000);
  await consumer.close();
  await reading;
  return found;
}

interface World {
  readonly sim: Simulation;
  readonly writer: Writer;
  readonly broker: Broker;
  /** Sets the clock of the agent's machine. */
  step(byMs: number): void;
  pause(ms: number): Promise<void>;
}

async function inWorld(
  properties: Record<string, number>,
  work: (world: World) => Promise<void>,
): Promise<void> {
  const sim = createSimSystem({ seed: 17 });
  const { disk, clock } = sim.process('writer', { host: ours });
  for (const directory of ['/log', '/drop']) disk.makeDirectorySync(directory);
  const whole = async () => {
    const listeners = [{ listen: { host: '10.0.0.1', port: 9092 } }];
    const broker = await Broker.start(
      { dataDir: '/broker', listeners, topics, properties },
      sim.process('broker', { host: '10.0.0.1' }),
    );
    const step = (byMs: number) => sim.stepWallClock(byMs, ours);
    const pause = (ms: number) => clock.sleep(ms);
    await work({ sim, writer: new Writer(disk), broker, step, pause });
    await broker.stop();
  };
  await sim.run(whole, { limitMs: 2 * hour });
}

/** How what came of a file differs from what was written, in lines that are all different. */
function faultsOf(records: readonly Read[], file: string, text: string) {
  const found = records.filter(({ key }) => key === file).map(({ value }) => value);
  const written = text.split('\n').slice(0, -1);
  const once = [...new Set(found)];
  return {
    repeated: found.length - once.length,
    lost: written.filter((line) => !once.includes(line)).length,
    isInOrder: once.every(
      (line, i) => i === 0 || written.indexOf(line) > written.indexOf(once[i - 1] ?? ''),
    ),
  };
}

const none = { repeated: 0, lost: 0, isInOrder: true };

beforeAll(() => loadCodec('lz4'));

describe('an agent whose clock was wrong and is set right', () => {
  it.each([
    ['ahead', 3 * hour, 'none', {}],
    ['ahead, and batches are compressed', 3 * hour, 'lz4', {}],
    ['behind', -3 * hour, 'none', { 'log.message.timestamp.before.max.ms': hour }],
  ] as const)('%s: sends each line once and in order', async (_, byMs, compression, properties) => {
    await inWorld(properties, async ({ sim, writer, step, pause }) => {
      const agent = await startAgent(sim, { compression, batch_size: 1024 });
      const wanted = new Map<string, string>();
      const write = async (count: number) => {
        for (let i = 0; i < count; i++) {
          const file = `/log/${i % 4}.log`;
          const text = lines(`${wanted.get(file)?.length ?? 0}`, 30);
          writer.append(file, text);
          wanted.set(file, (wanted.get(file) ?? '') + text);
          await pause(70);
        }
      };
      await write(10);
      step(byMs);
      writer.append('/drop/one', 'Subject: one\n\n1');
      await write(200);
      const { problems } = sim.process('agent', { host: ours });
      expect(problems.list().map(({ text }) => text)).toEqual([
        expect.stringMatching(/clock.*INVALID_TIMESTAMP/),
        expect.stringMatching(/clock.*INVALID_TIMESTAMP/),
      ]);
      step(-byMs);
      await write(10);
      expect(await agent.drain(20_000)).toBe(true);
      const { now } = sim.process('broker', { host: '10.0.0.1' }).clock;
      const { lagBytes, failedRecords } = agent.status().sources.app ?? {};
      expect([lagBytes, failedRecords, problems.list()]).toEqual([0, 0, []]);
      await agent.stop();
      const records = await readTopic(sim, 'logs');
      for (const [file, text] of wanted) {
        expect(faultsOf(records, file, text)).toEqual(none);
      }
      expect((await readTopic(sim, 'mail')).map(({ key }) => key)).toEqual(['one']);
      for (const { timestamp } of records)
        expect(Math.abs(timestamp - now())).toBeLessThan(hour / 2);
    });
  });

  it('again and again while batches are in flight: sends each line once and in order', async () => {
    await inWorld({}, async ({ sim, writer, step, pause }) => {
      const agent = await startAgent(sim, { batch_size: 512, linger: '5ms' });
      let text = '';
      for (let i = 0; i < 399; i++) {
        const more = lines(`${i}`, 1 + (i % 40));
        writer.append('/log/a.log', more);
        text += more;
        if (i % 7 === 3) step(3 * hour);
        if (i % 7 === 5) step(-3 * hour);
        await pause(i % 11 === 0 ? 300 : 1 + (i % 13));
      }
      expect(await agent.drain(20_000)).toBe(true);
      await agent.stop();
      expect(faultsOf(await readTopic(sim, 'logs'), '/log/a.log', text)).toEqual(none);
    });
  });

  it('sends its dead letters once then, and says until then that they wait', async () => {
    await inWorld({}, async ({ sim, writer, step, pause }) => {
      const agent = await startAgent(sim, { compression: 'none' }, large);
      step(3 * hour);
      writer.append('/log/a.log', `one\n${'x'.repeat(5_000)}\ntwo\n`);
      await pause(15_000);
      const { problems, disk } = sim.process('agent', { host: ours });
      const waits = problems.list().find(({ id }) => id === 'failed records cannot be kept');
      expect(waits?.text).toMatch(/a\.log.*topic dead.*clock.*INVALID_TIMESTAMP/);
      step(-3 * hour);
      expect(await agent.drain(20_000)).toBe(true);
      expect(problems.list()).toEqual([]);
      await agent.stop();
      expect((await readTopic(sim, 'dead')).map(({ value }) => value.length)).toEqual([5_000]);
      expect((await readTopic(sim, 'strict')).map(({ value }) => value)).toEqual(['one', 'two']);
      expect(disk.statSync('/data/failed')).toBeUndefined();
    });
  });
});
