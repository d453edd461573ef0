import { describe, expect, it } from 'vitest';
import { Broker } from '../../broker/index.js';
import { Fetch, InitProducerId } from '../../protocol/index.js';
import { batchesOf } from '../../protocol/records/index.js';
import { crashAtEveryStep } from '../../system/sim/index.js';
import { batchOf, inWorld, RawClient, SMALL, valuesOf } from './world.js';

const logs = { logs: { partitions: 1 } };

describe('a restart', () => {
  it('keeps cluster id, topic ids, records and properties', () =>
    inWorld({ topics: { logs: { properties: { 'retention.ms': 9 } } } }, async (world) => {
      const { clusterId } = world.broker;
      const read = () => {
        const disk = world.sim.process('broker').disk;
        return JSON.parse(disk.readFileSync('/data/metadata.json').toString()).entries[
          'topics/logs'
        ];
      };
      const before = read();
      await world.broker.stop();
      const disk = world.sim.process('broker').disk;
      expect(disk.listSync('/data')).toContain('.kafka_cleanshutdown');
      const meta = disk.readFileSync('/data/meta.properties').toString();
      expect(meta).toContain(`cluster.id=${clusterId}`);
      await world.restart();
      expect(world.broker.clusterId).toBe(clusterId);
      expect(read()).toEqual(before);
      expect(read().value.properties).toEqual({ 'retention.ms': '9' });
      expect(disk.listSync('/data')).not.toContain('.kafka_cleanshutdown');
    }));

  it('after a kill begins a new leader epoch, which clients with the old one are told', () =>
    inWorld({ topics: logs }, async (world) => {
      const client = await world.connect();
      await client.produce('logs', 0, batchOf(['a']));
      world.sim.process('broker').kill();
      await world.restart();
      const again = await world.connect();
      await again.produce('logs', 0, batchOf(['b']));
      const answer = await again.fetch('logs', 0, 0);
      expect(valuesOf(answer.records)).toEqual([
        [0, 'a'],
        [1, 'b'],
      ]);
      const partition = {
        partition: 0,
        currentLeaderEpoch: 0,
        fetchOffset: 0,
        partitionMaxBytes: 9,
      };
      const topics = [{ topic: 'logs', partitions: [partition] }];
      const { responses } = await again.ask(Fetch, { maxWaitMs: 0, minBytes: 1, topics }, 12);
      expect(responses[0]?.partitions[0]?.errorCode).toBe(74);
    }));

  it('grows the topics of the configuration, never shrinks them, sets their properties', () =>
    inWorld({ topics: { logs: { partitions: 2 } } }, async (world) => {
      await world.broker.stop();
      await world.restart({ topics: { logs: { partitions: 3, properties: { 'flush.ms': 5 } } } });
      expect(world.broker.status()).toMatchObject({ topics: 1, partitions: 3 });
      await world.broker.stop();
      await world.restart({ topics: { logs: { partitions: 1 }, more: {} } });
      expect(world.broker.status()).toMatchObject({ topics: 2, partitions: 4 });
    }));

  it('puts a directory aside that belongs to no topic', () =>
    inWorld({ topics: logs }, async (world) => {
      await world.broker.stop();
      const { disk } = world.sim.process('broker');
      disk.makeDirectorySync('/data/stray-0');
      disk.replaceFileSync(
        '/data/stray-0/partition.metadata',
        'version: 0\ntopic_id: 1234567890123456789012\n',
      );
      await world.restart();
      const names = disk.listSync('/data').filter((name) => name.startsWith('stray'));
      expect(names).toEqual([expect.stringMatching(/^stray-0\..*-stray$/)]);
    }));

  it('takes over the topics of a directory whose metadata is gone, ids included', () =>
    inWorld({ topics: logs }, async (world) => {
      const client = await world.connect();
      await client.produce('logs', 0, batchOf(['kept']));
      const { clusterId } = world.broker;
      await world.broker.stop();
      const { disk } = world.sim.process('broker');
      const idOf = () => disk.readFileSync('/data/logs-0/partition.metadata').toString();
      const before = idOf();
      disk.removeSync('/data/metadata.json');
      await world.restart({ topics: {} });
      expect(world.broker.clusterId).toBe(clusterId);
      const again = await world.connect();
      expect(valuesOf((await again.fetch('logs', 0, 0)).records)).toEqual([[0, 'kept']]);
      expect(idOf()).toBe(before);
    }));

  it.each(['gone', 'an old copy'])('metadata that are %s hand out no id, no epoch twice', (how) =>
    inWorld({ topics: logs }, async (world) => {
      const path = '/data/metadata.json';
      const old = world.sim.process('broker').disk.readFileSync(path);
      const append = async (value: string) => {
        const client = await world.connect();
        const body = { transactionalId: null, transactionTimeoutMs: 1 };
        const { producerId } = await client.ask(InitProducerId, body);
        const records = batchOf([value], { producerId, producerEpoch: 0, baseSequence: 0 });
        const answer = await client.produce('logs', 0, records);
        expect(answer.errorCode).toBe(0);
        return { producerId, baseOffset: answer.baseOffset };
      };
      for (let kill = 0; kill < 3; kill++) {
        await append(`before ${kill}`);
        world.sim.process('broker').kill();
        await world.restart();
      }
      const last = await append('last');
      await world.broker.stop();
      const { disk } = world.sim.process('broker');
      if (how === 'gone') disk.removeSync(path);
      else disk.replaceFileSync(path, old);
      await world.restart({ topics: {} });
      const next = await append('next');
      expect(next.baseOffset).toBe(4);
      // Ids of the block that was in use may be with producers that have not written yet.
      const isOfItsBlock = Math.abs(next.producerId - last.producerId) < 1000;
      expect(isOfItsBlock).toBe(false);
      const client = await world.connect();
      const { records } = await client.fetch('logs', 0, 0);
      expect(valuesOf(records).at(-1)).toEqual([4, 'next']);
      const epochs = [...batchesOf(records)].map((batch) => batch.partitionLeaderEpoch);
      expect(epochs).toEqual([0, 1, 2, 3, 4]);
      const stored = JSON.parse(disk.readFileSync(path).toString()).entries['topics/logs'];
      expect(stored.value.partitions[0].leaderEpoch).toBe(4);
    }),
  );

  it('takes over the offsets of groups with all partitions and as a compacted topic', () =>
    inWorld({ topics: {} }, async (world) => {
      const { disk } = world.sim.process('broker');
      await world.broker.stop();
      disk.makeDirectorySync('/data/__consumer_offsets-7');
      disk.replaceFileSync(
        '/data/__consumer_offsets-7/partition.metadata',
        'version: 0\ntopic_id: 1234567890123456789012\n',
      );
      disk.removeSync('/data/metadata.json');
      await world.restart();
      const { entries } = JSON.parse(disk.readFileSync('/data/metadata.json').toString());
      const { value } = entries['topics/__consumer_offsets'];
      expect(value.partitions).toHaveLength(50);
      expect(value.properties['cleanup.policy']).toBe('compact');
    }));
});

describe('a broker that cannot start says why', () => {
  const start = (options: object) =>
    inWorld({ topics: logs }, async ({ sim }) => {
      await Broker.start({ dataDir: '/other', ...options }, sim.process('second'));
    });

  it('the folder is in use', () =>
    expect(start({ dataDir: '/data' })).rejects.toThrow(/\/data is in use by the logflume broker/));

  it('the port is in use, and gives its folder free', () =>
    inWorld({ listeners: [{ listen: { host: '127.0.0.1', port: 9092 } }] }, async ({ sim }) => {
      const second = sim.process('second');
      const listeners = [{ listen: { host: '127.0.0.1', port: 9092 } }];
      const twice = Broker.start({ dataDir: '/other', listeners }, second);
      await expect(twice).rejects.toThrow(/127\.0\.0\.1:9092: the port is in use/);
      await (await Broker.start({ dataDir: '/other' }, second)).stop();
    }));

  it('a property is not known, or contradicts another', async () => {
    await expect(start({ properties: { 'num.partition': 1 } })).rejects.toThrow(
      /num\.partition is not/,
    );
    const tooSmall = { 'socket.request.max.bytes': 1000 };
    await expect(start({ properties: tooSmall })).rejects.toThrow(
      /must exceed message\.max\.bytes/,
    );
    await expect(start({ properties: { 'broker.id': 3 } })).rejects.toThrow(/set broker\.node_id/);
  });

  it('the folder belongs to another node, or its metadata are damaged', () =>
    inWorld({ topics: logs }, async (world) => {
      await world.broker.stop();
      await expect(world.restart({ nodeId: 2 })).rejects.toThrow(/belongs to node 1/);
      const { disk } = world.sim.process('broker');
      const good = disk.readFileSync('/data/metadata.json');
      disk.replaceFileSync('/data/metadata.json', good.subarray(0, 40));
      await expect(world.restart()).rejects.toThrow(/metadata\.json cannot be read/);
      disk.replaceFileSync('/data/metadata.json', good);
      await world.restart();
    }));

  it('no file descriptor is left, though then its folder cannot be given free either', () =>
    inWorld({ topics: logs }, async (world) => {
      const { sim } = world;
      await world.broker.stop();
      let isShort = false;
      const heal = sim.volume().inject(({ opens, path }) => {
        isShort ||= path.includes('metadata.json');
        return isShort && opens === true ? 'EMFILE' : undefined;
      });
      const attempt = world.restart();
      await expect(attempt).rejects.toThrow(/the broker cannot start in \/data: .*ulimit -n/);
      await expect(attempt).rejects.toMatchObject({ cause: { code: 'EMFILE' } });
      heal();
      sim.process('broker').kill();
      await world.restart();
    }));

  it('a bad topic in the configuration', () =>
    expect(start({ topics: { 'a b': {} } })).rejects.toThrow(/"a b" may hold only/));
});

describe('whatever step a crash hits', () => {
  it('acknowledged records, topics and producer ids stay', async () => {
    const acknowledged = { values: [] as string[], ids: [] as number[] };
    const options = {
      dataDir: '/data',
      properties: SMALL,
      topics: { logs: { properties: { 'flush.messages': 1 } } },
    };
    await crashAtEveryStep({
      seed: 3,
      kinds: ['torn', 'powerLoss'],
      process: 'broker',
      prepare: async () => {
        acknowledged.values = [];
        acknowledged.ids = [];
      },
      work: async (process, sim) => {
        const broker = await Broker.start(options, process);
        const client = await RawClient.connect(
          sim.process('client', { host: '10.0.0.9' }),
          broker.port,
        ).catch(() => RawClient.connect(process, broker.port));
        for (const value of ['a', 'b']) {
          const { errorCode } = await client.produce('logs', 0, batchOf([value]));
          if (errorCode === 0) acknowledged.values.push(value);
          const body = { transactionalId: null, transactionTimeoutMs: 1 };
          const { producerId } = await client.ask(InitProducerId, body);
          acknowledged.ids.push(producerId);
        }
        await broker.stop();
      },
      check: async (sim) => {
        const broker = await Broker.start(options, sim.process('broker'));
        const client = await RawClient.connect(sim.process('checker'), broker.port);
        const values = valuesOf((await client.fetch('logs', 0, 0)).records).map(
          ([, value]) => value,
        );
        expect(values.slice(0, acknowledged.values.length)).toEqual(acknowledged.values);
        const body = { transactionalId: null, transactionTimeoutMs: 1 };
        const { producerId } = await client.ask(InitProducerId, body);
        expect(acknowledged.ids).not.toContain(producerId);
        await broker.stop();
      },
    });
  });
});
