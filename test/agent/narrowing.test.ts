import { beforeAll, describe, expect, it } from 'vitest';
import { Agent, agentSection } from '../../agent/index.js';
import { Broker } from '../../broker/index.js';
import { Consumer } from '../../client/index.js';
import { loadCodec } from '../../protocol/records/index.js';
import { createSimSystem, type SimProcess, type Simulation } from '../../system/sim/index.js';
import { lines, Writer } from './file-world.js';

const address = '127.0.0.1:9092';
const path = '/log/a.log';
const marker = 'damaged on its way';

interface Case {
  readonly maxMessageBytes?: number;
  readonly source?: Record<string, unknown>;
  readonly producer?: Record<string, unknown>;
  /** In virtual time. */
  readonly limitMs?: number;
}

/** What the topic has, line by line, and what was set aside, with its bytes in the file. */
interface Outcome {
  readonly sent: string[];
  readonly kept: { start: number; end: number; value: string; reason: string }[];
}

/** An agent that reads `text` into a topic of a broker, until both have settled. */
async function deliver(text: string, of: Case): Promise<Outcome> {
  const sim = createSimSystem({ seed: 12 });
  const { disk } = sim.process('writer');
  for (const directory of ['/log', '/data']) disk.makeDirectorySync(directory);
  new Writer(disk).append(path, text);
  return sim.run(live(sim, of), { limitMs: 3_600_000 });
}

async function live(sim: Simulation, of: Case): Promise<Outcome> {
  const properties = { 'max.message.bytes': of.maxMessageBytes ?? 1_048_588 };
  const broker = await Broker.start(
    {
      dataDir: '/broker',
      listeners: [{ listen: { host: '127.0.0.1', port: 9092 } }],
      topics: { t: { partitions: 1, properties } },
    },
    sim.process('broker'),
  );
  const app = { type: 'file', include: ['/log/*.log'], topic: 't', ...of.source };
  const agent = await Agent.start(withDamage(sim.process('agent')), {
    config: agentSection().parse({ producer: of.producer, sources: { app } }),
    kafka: { bootstrap: [address], client_id: 'test' },
    dataDir: '/data/agent',
  });
  expect(await agent.drain(of.limitMs ?? 30_000)).toBe(true);
  await agent.stop();
  const sent = await read(sim);
  await broker.stop();
  return { sent, kept: failed(sim.process('writer')) };
}

/** Bytes with the marker are damaged on each way to the broker. */
function withDamage(agent: SimProcess): SimProcess {
  const { net } = agent;
  const damage = (chunk: Uint8Array): Uint8Array => {
    const at = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).indexOf(marker);
    if (at < 0) return chunk;
    const copy = Uint8Array.from(chunk);
    copy[at] = 0;
    return copy;
  };
  const connect: SimProcess['net']['connect'] = async (to) => {
    const connection = await net.connect(to);
    const write = (chunks: readonly Uint8Array[]) => connection.write(chunks.map(damage));
    return new Proxy(connection, {
      get: (target, name) => {
        if (name === 'write') return write;
        const value = Reflect.get(target, name, target) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
  return Object.create(agent, { net: { value: { listen: net.listen.bind(net), connect } } });
}

async function read(sim: Simulation): Promise<string[]> {
  const system = sim.process('reader');
  const consumer = new Consumer({ bootstrap: [address] }, system);
  await consumer.assign([{ topic: 't', partition: 0, position: 'beginning' }]);
  const found: string[] = [];
  const reading = (async () => {
    for await (const batch of consumer.batches()) {
      const cursor = batch.cursor();
      while (cursor.next()) found.push(String(cursor.value()));
    }
  })();
  await system.clock.sleep(10_000);
  await consumer.close();
  await reading;
  return found;
}

function failed({ disk }: SimProcess): Outcome['kept'] {
  const directory = '/data/agent/failed';
  const names = disk.statSync(directory) ? disk.listSync(directory) : [];
  return names.map((name) => {
    const bytes = disk.readFileSync(`${directory}/${name}`);
    const head = bytes.indexOf('\n');
    const { start, end, reason } = JSON.parse(String(bytes.subarray(0, head)));
    return { start, end, reason, value: bytes.toString('latin1', head + 1) };
  });
}

/** Each line is in the topic, or aside, once and in order; what is aside lies where it says. */
function judge(text: string, { sent, kept }: Outcome, isBad: (line: string) => boolean): void {
  const all = text.split('\n').slice(0, -1);
  expect(sent).toEqual(all.filter((line) => !isBad(line)));
  expect(kept.map(({ value }) => value)).toEqual(all.filter(isBad));
  for (const { start, end, value } of kept) expect(text.slice(start, end)).toContain(value);
}

beforeAll(() => loadCodec('lz4'));

describe('a broker that refuses records', () => {
  const large = (name: string) => `large ${name} ${'y'.repeat(3_000)}`;
  const isLarge = (line: string) => line.startsWith('large');

  it('too large for the topic: they go aside, their neighbours arrive once and in order', async () => {
    const middle = Array.from({ length: 5 }, (_, i) => `${large(`${i}`)}\n${lines(`${i}`, 30)}`);
    const text = `${large('first')}\n${lines('a', 700)}${middle.join('')}${large('last')}\n`;
    const of = { maxMessageBytes: 2_000, producer: { compression: 'none' } };
    judge(text, await deliver(text, of), isLarge);
  });

  it('many one after the other: no pause that grows with each', async () => {
    const many = Array.from({ length: 300 }, (_, i) => `${large(`${i}`)}\n`).join('');
    const text = `${lines('a', 100)}${many}${lines('b', 100)}`;
    const of = { maxMessageBytes: 2_000, producer: { compression: 'none' } };
    judge(text, await deliver(text, of), isLarge);
  });

  it('too large with the headers that an interceptor adds', async () => {
    const text = `${lines('a', 100)}${large('x')}\n${lines('b', 100)}`;
    const of: Case = {
      maxMessageBytes: 5_000,
      producer: { compression: 'none' },
      source: { interceptors: [{ type: 'regex_extract', pattern: '(?<all>.*)' }] },
    };
    judge(text, await deliver(text, of), isLarge);
  });

  it('damaged again and again', async () => {
    const text = `${lines('a', 300)}a line ${marker}\n${lines('b', 300)}${marker} too\n`;
    const of = { producer: { compression: 'none' } };
    judge(text, await deliver(text, of), (line) => line.includes(marker));
  });

  it('a line of 20 MB', async () => {
    const text = `${lines('a', 10)}${'z'.repeat(20_000_000)}\n${lines('b', 10)}`;
    const source = { max_line_bytes: 21_000_000 };
    const isHuge = (line: string) => line.startsWith('z');
    // lz4 makes it small enough for the topic; without it goes aside, and with a larger limit not.
    for (const [compression, maxMessageBytes] of [
      ['lz4', 1_048_588],
      ['none', 30_000_000],
    ] as const) {
      const of = { maxMessageBytes, source, producer: { compression } };
      judge(text, await deliver(text, of), () => false);
    }
    judge(text, await deliver(text, { source, producer: { compression: 'none' } }), isHuge);
  }, 60_000);
});
