import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  Agent,
  type AgentComponents,
  agentComponents,
  agentSection,
  type InterceptorComponent,
  type SourceComponent,
  type SourceContext,
} from '../../agent/index.js';
import { Broker } from '../../broker/index.js';
import { Consumer } from '../../client/index.js';
import { z } from '../../config/index.js';
import { loadCodec } from '../../protocol/records/index.js';
import { createRealSystem } from '../../system/real/index.js';
import { createSimSystem, type Simulation } from '../../system/sim/index.js';
import { folderWithPackage, writePage } from '../plugin-page.js';
import { Writer } from './file-world.js';

const kafka = { bootstrap: ['127.0.0.1:9092'], client_id: 'test' };
const folder = folderWithPackage();
let interceptors: readonly InterceptorComponent[] = [];

// Loading takes real time, which virtual time does not wait for.
beforeAll(async () => {
  await loadCodec('lz4');
  writePage(folder.path);
  const { processes } = createRealSystem({ logLevel: 'silent' });
  const plugin = await processes.load('./json-level.js', join(folder.path, 'logflume.yaml'));
  interceptors = plugin.interceptors as readonly InterceptorComponent[];
});
afterAll(() => folder.remove());

function startAgent(sim: Simulation, components: AgentComponents, section: unknown) {
  const config = agentSection(components).parse(section);
  const options = { config, kafka, dataDir: '/data/agent', components };
  return Agent.start(sim.process('agent'), options);
}

async function read(sim: Simulation): Promise<string[]> {
  const consumer = new Consumer({ bootstrap: kafka.bootstrap }, sim.process('reader'));
  await consumer.assign([{ topic: 'logs', partition: 0, position: 'beginning' }]);
  const found: string[] = [];
  const reading = (async () => {
    for await (const batch of consumer.batches()) {
      const cursor = batch.cursor();
      while (cursor.next()) {
        const headers = cursor.headers().map(([name, value]) => ` ${name}=${value}`);
        found.push(`${cursor.value()}${headers.join('')}`);
      }
    }
  })();
  await sim.process('reader').clock.sleep(3_000);
  await consumer.close();
  await reading;
  return found;
}

async function withBroker(work: (sim: Simulation, writer: Writer) => Promise<void>) {
  const sim = createSimSystem({ seed: 4 });
  const { disk } = sim.process('writer');
  for (const directory of ['/log', '/data']) disk.makeDirectorySync(directory);
  const play = async () => {
    const listeners = [{ listen: { host: '127.0.0.1', port: 9092 } }];
    const topics = { logs: { partitions: 1 } };
    const options = { dataDir: '/broker', listeners, topics };
    const broker = await Broker.start(options, sim.process('broker'));
    await work(sim, new Writer(disk));
    await broker.stop();
  };
  await sim.run(play(), { limitMs: 600_000 });
}

describe('a plugin in a whole agent', () => {
  it('is the interceptor of docs/plugins.md: adds, drops, and sets aside where it throws', () =>
    withBroker(async (sim, writer) => {
      const lines = ['{"level":"info","n":1}', '{"level":"debug"}', '{broken', 'plain', '{"n":2}'];
      writer.append('/log/a.log', `${lines.join('\n')}\n`);
      const agent = await startAgent(
        sim,
        { ...agentComponents, interceptors },
        {
          sources: {
            app: {
              ...{ type: 'file', include: ['/log/*.log'], topic: 'logs' },
              interceptors: [{ type: 'json_level', drop: ['debug'] }],
            },
          },
        },
      );
      expect(await agent.drain(60_000)).toBe(true);
      expect(agent.status().sources.app).toMatchObject({ failedRecords: 1, lagBytes: 0 });
      await agent.stop();
      expect(await read(sim)).toEqual(['{"level":"info","n":1} level=info', 'plain', '{"n":2}']);
    }));

  it('may be a source: nothing of the agent knows its type', () =>
    withBroker(async (sim) => {
      const components = { ...agentComponents, sources: [ticker] };
      const source = { type: 'ticker', to: 'logs', count: 3, interceptors: [{ type: 'host' }] };
      const agent = await startAgent(sim, components, { sources: { tick: source } });
      await agent.drain(60_000);
      expect(agent.status()).toEqual({ sources: { tick: { ...nothing, acknowledged: 3 } } });
      expect(await sim.process('agent').metrics.render()).not.toMatch(/open_files|late_|mails/);
      await agent.stop();
      const host = sim.process('agent').processes.hostname();
      expect(await read(sim)).toEqual([0, 1, 2].map((n) => `tick ${n} host=${host}`));
      const section = {
        producer: { memory: '64KiB' },
        sources: { tick: { ...source, most: 1e6 } },
      };
      expect(agentSection(components).safeParse(section).error?.issues).toMatchObject([
        { path: ['sources', 'tick', 'most'], message: expect.stringMatching(/^most \(1000000\) /) },
      ]);
    }));

  it('shares descriptors with the sources that open many files, and with no others', () =>
    withBroker(async (sim) => {
      const limits: Record<string, number> = {};
      const noting = {
        ...ticker,
        create(options: z.output<typeof tickerOptions>, context: SourceContext) {
          limits[context.name] = context.maxOpenFiles;
          return ticker.create(options, context);
        },
      };
      const opener = { ...noting, type: 'opener', opensManyFiles: true };
      const components = { ...agentComponents, sources: [noting, opener] };
      vi.spyOn(sim.process('agent').processes, 'fileLimit').mockReturnValue(1_128 as never);
      const of = (type: string) => ({ type, to: 'logs', count: 0 });
      const sources = { a: of('opener'), b: of('opener'), c: of('ticker') };
      await (await startAgent(sim, components, { sources })).stop();
      expect(limits).toEqual({ a: 500, b: 500, c: 500 });
    }));
});

const nothing = {
  ...{ type: 'ticker', records: 0, bytes: 0, acknowledged: 0, lagBytes: 0, failedRecords: 0 },
};

const tickerOptions = z.object({
  to: z.string(),
  count: z.int(),
  most: z.int().default(1_000),
});

const ticker: SourceComponent<typeof tickerOptions> = {
  type: 'ticker',
  schema: tickerOptions,
  topics: ({ to }) => [to],
  largestRecord: ({ most }) => ({ option: 'most', bytes: most }),
  create({ to, count }, { producer, chain, system, name }) {
    let acknowledged = 0;
    return {
      async start() {},
      async drain() {
        const key = Buffer.from('k');
        const target = producer.target(to, key);
        const headers = chain.headersWith([]);
        for (let n = 0; n < count; n++) {
          const value = Buffer.from(`${name} ${n}`);
          const what = [key, 0, key.length, value, 0, value.length, headers] as const;
          let ticket = producer.append(target, system.clock.now(), ...what);
          while (ticket === null) {
            await producer.writable();
            ticket = producer.append(target, system.clock.now(), ...what);
          }
          ticket.onDone((error) => {
            if (error === null) acknowledged++;
          });
        }
        await producer.flush();
      },
      unsent: () => [],
      async stop() {},
      status: () => ({ ...nothing, acknowledged }),
    };
  },
};
