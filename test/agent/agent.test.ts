import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Agent, agentSection } from '../../agent/index.js';
import { Broker } from '../../broker/index.js';
import { Consumer } from '../../client/index.js';
import { loadCodec } from '../../protocol/records/index.js';
import { DirectoryLockError } from '../../system/index.js';
import { createRealSystem } from '../../system/real/index.js';
import { createSimSystem, type Simulation } from '../../system/sim/index.js';
import { lines, Writer } from './file-world.js';

const address = '127.0.0.1:9092';
const topics = { 'app-logs': { partitions: 3 }, mail: { partitions: 1 } };

function startBroker(sim: Simulation): Promise<Broker> {
  const listeners = [{ listen: { host: '127.0.0.1', port: 9092 } }];
  return Broker.start({ dataDir: '/broker', listeners, topics }, sim.process('broker'));
}

function startAgent(sim: Simulation): Promise<Agent> {
  const config = agentSection().parse({
    sources: {
      app: { type: 'file', include: ['/log/*.log'], topic: 'app-logs', key: '{path}' },
      post: { type: 'maildrop', directory: '/drop', topic: 'mail', key: '{name}', after: 'delete' },
    },
  });
  const kafka = { bootstrap: [address], client_id: 'test' };
  return Agent.start(sim.process('agent'), { config, kafka, dataDir: '/data/agent' });
}

/** Everything in a topic: key and value, in the order of each partition. */
async function read(sim: Simulation, topic: string, partitions: number): Promise<string[][]> {
  const consumer = new Consumer({ bootstrap: [address] }, sim.process('reader'));
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  await consumer.assign(
    all.map((partition) => ({ topic, partition, position: 'beginning' as const })),
  );
  const found: string[][] = [];
  const reading = (async () => {
    for await (const batch of consumer.batches()) {
      const cursor = batch.cursor();
      while (cursor.next()) found.push([String(cursor.key()), String(cursor.value())]);
    }
  })();
  await sim.process('reader').clock.sleep(3000);
  await consumer.close();
  await reading;
  return found;
}

async function scenario(work: (sim: Simulation, writer: Writer) => Promise<void>): Promise<void> {
  const sim = createSimSystem({ seed: 11 });
  const { disk } = sim.process('writer');
  for (const directory of ['/log', '/drop', '/data']) disk.makeDirectorySync(directory);
  await sim.run(work(sim, new Writer(disk)), { limitMs: 600_000 });
}

const pause = (sim: Simulation, ms: number) => sim.process('writer').clock.sleep(ms);

const contentOf = (records: string[][], key: string) =>
  records.map(([of, value]) => (of === key ? `${value}\n` : '')).join('');

// Loading takes real time, which virtual time does not wait for.
beforeAll(() => loadCodec('lz4'));

describe('the agent', () => {
  it('brings files to a broker, and drains', () =>
    scenario(async (sim, writer) => {
      const broker = await startBroker(sim);
      writer.append('/log/a.log', lines('a', 500));
      const agent = await startAgent(sim);
      writer.append('/log/b.log', lines('b', 500));
      expect(await agent.drain(10_000)).toBe(true);
      expect(agent.status().sources.app).toMatchObject({ acknowledged: 1000, lagBytes: 0 });
      await agent.stop();
      await agent.stop();
      const records = await read(sim, 'app-logs', 3);
      expect(contentOf(records, '/log/a.log')).toBe(lines('a', 500));
      expect(contentOf(records, '/log/b.log')).toBe(lines('b', 500));
      const metrics = sim.process('agent').metrics;
      expect(metrics.value('logflume_agent_records_total', { source: 'app' })).toBe(1000);
      await broker.stop();
    }));

  it('starts before the broker, outlives its death, and repeats nothing then', () =>
    scenario(async (sim, writer) => {
      writer.append('/log/a.log', lines('a', 300));
      const agent = await startAgent(sim);
      await pause(sim, 3000);
      await startBroker(sim);
      await pause(sim, 5000);
      sim.process('broker').kill();
      writer.append('/log/a.log', lines('b', 300));
      await pause(sim, 5000);
      const broker = await startBroker(sim);
      expect(await agent.drain(60_000)).toBe(true);
      await agent.stop();
      const records = await read(sim, 'app-logs', 3);
      expect(contentOf(records, '/log/a.log')).toBe(lines('a', 300) + lines('b', 300));
      await broker.stop();
    }));

  it('loses nothing when it is killed over and over', () =>
    scenario(async (sim, writer) => {
      const broker = await startBroker(sim);
      for (let round = 0; round < 8; round++) {
        await startAgent(sim);
        for (let i = 0; i < 10; i++) {
          writer.append('/log/a.log', lines('l', 10, round * 100 + i * 10));
          await pause(sim, 17 + round * 13);
        }
        sim.process('agent').kill();
        writer.disk.renameSync('/log/a.log', `/log/a.log.${round}`);
      }
      const agent = await startAgent(sim);
      expect(await agent.drain(60_000)).toBe(true);
      await agent.stop();
      const unique = [...new Set((await read(sim, 'app-logs', 3)).map(([, value]) => value))];
      expect(unique.map((line) => `${line}\n`).join('')).toBe(
        [0, 1, 2, 3, 4, 5, 6, 7].map((round) => lines('l', 100, round * 100)).join(''),
      );
      await broker.stop();
    }));

  it('knows a new file from the look that finds it, under any name after a kill', () =>
    scenario(async (sim, writer) => {
      await startAgent(sim);
      // Longer than the positions wait for one another.
      await pause(sim, 2000);
      writer.append('/log/a.log', lines('a', 10));
      await pause(sim, 500);
      writer.append('/log/b.log', lines('b', 10));
      await pause(sim, 150);
      sim.process('agent').kill();
      writer.disk.renameSync('/log/b.log', '/log/b.old');
      const broker = await startBroker(sim);
      const agent = await startAgent(sim);
      expect(await agent.drain(60_000)).toBe(true);
      await agent.stop();
      const records = await read(sim, 'app-logs', 3);
      expect(contentOf(records, '/log/b.log')).toBe(lines('b', 10));
      await broker.stop();
    }));

  it('says that it was not drained where something could not be sent', () =>
    scenario(async (sim, writer) => {
      const broker = await startBroker(sim);
      const agent = await startAgent(sim);
      writer.disk.renameSync('/drop', '/away');
      await pause(sim, 3_000);
      expect(await agent.drain(60_000)).toBe(false);
      await agent.stop();
      await broker.stop();
    }));

  it('says that it was not drained where that takes too long', () =>
    scenario(async (sim, writer) => {
      writer.append('/log/a.log', lines('a', 10));
      const agent = await startAgent(sim);
      expect(await agent.drain(2_000)).toBe(false);
      await agent.stop();
    }));

  it('has its folder for itself', () =>
    scenario(async (sim) => {
      const agent = await startAgent(sim);
      await expect(startAgent(sim)).rejects.toThrow(DirectoryLockError);
      await agent.stop();
      const again = await startAgent(sim);
      await again.stop();
    }));

  it('does not start with damaged positions, and gives its folder free again', () =>
    scenario(async (sim) => {
      const { disk } = sim.process('writer');
      disk.makeDirectorySync('/data/agent');
      disk.replaceFileSync('/data/agent/positions.json', '{"version":1');
      await expect(startAgent(sim)).rejects.toThrow(/positions\.json is damaged/);
      disk.removeSync('/data/agent/positions.json');
      const agent = await startAgent(sim);
      await agent.stop();
    }));
});

// On a real system: mails are parsed in real turns of the event loop.
it('brings mails to a broker, and deletes them then', async () => {
  const system = createRealSystem();
  const directory = mkdtempSync(join(tmpdir(), 'logflume-agent-'));
  const drop = join(directory, 'drop');
  mkdirSync(drop);
  writeFileSync(join(drop, 'one'), 'Subject: one\n\nHello');
  const broker = await Broker.start({ dataDir: join(directory, 'broker'), topics }, system);
  const source = {
    type: 'maildrop',
    directory: drop,
    topic: 'mail',
    after: 'delete',
    key: '{name}',
  };
  const agent = await Agent.start(system, {
    config: agentSection().parse({ sources: { post: { ...source, settle: '1ms' } } }),
    kafka: { bootstrap: [broker.address] },
    dataDir: join(directory, 'agent'),
  });
  expect(await agent.drain(20_000)).toBe(true);
  expect(agent.status().sources.post).toMatchObject({ acknowledged: 1, files: 0, lagBytes: 0 });
  expect(readdirSync(drop)).toEqual(['.logflume']);
  await agent.stop();
  await broker.stop();
  rmSync(directory, { recursive: true });
});

describe('the agent’s section', () => {
  it('has sensible defaults', () => {
    const { producer, delivery } = agentSection().parse({ sources: {} });
    expect(delivery).toBe('at_least_once');
    expect(producer).toEqual({
      ...{ compression: 'lz4', acks: 'all', linger: 20, batch_size: 1_048_576 },
      memory: 33_554_432,
    });
  });

  it.each([
    [{ delivery: 'exactly_once', sources: {} }, 'comes with a later version'],
    [{ sources: { 'a b': { type: 'file', include: ['x'], topic: 't' } } }, 'letters, digits'],
    [{ sources: { a: { type: 'fil' } } }, 'sources'],
    [
      { sources: { a: { type: 'maildrop', directory: 'd', topic: 't', after: 'move' } } },
      'belongs to `after: move`',
    ],
  ])('refuses %j', (section, words) => {
    expect(() => agentSection().parse(section)).toThrow(words);
  });
});
