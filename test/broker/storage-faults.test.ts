import { expect, it } from 'vitest';
import {
  CreateTopics,
  DeleteTopics,
  ErrorCode,
  OffsetForLeaderEpoch,
} from '../../protocol/index.js';
import { batchOf, inWorld, type RawClient, valuesOf, type World } from './world.js';

const logs = { logs: { partitions: 1 } };
const small = { 'segment.bytes': 300 };

async function recreate(client: RawClient): Promise<void> {
  const deleted = await client.ask(DeleteTopics, { topicNames: ['logs'], timeoutMs: 1000 }, 3);
  expect(deleted.responses[0]?.errorCode).toBe(0);
  const topics = [
    { name: 'logs', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
  ];
  const created = await client.ask(CreateTopics, { topics, timeoutMs: 1000 }, 4);
  expect(created.topics[0]?.errorCode).toBe(0);
}

async function readBack(world: World): Promise<[number, string][]> {
  const client = await world.connect();
  const found: [number, string][] = [];
  for (;;) {
    const next = (found.at(-1)?.[0] ?? -1) + 1;
    const values = valuesOf((await client.fetch('logs', 0, next)).records);
    if (values.length === 0) return found;
    found.push(...values);
  }
}

const problems = (world: World) => world.sim.process('broker').problems.list();

it('a topic that is created anew after a storage error does not take the old directory', () =>
  inWorld({ topics: logs }, async (world) => {
    const client = await world.connect();
    await client.produce('logs', 0, batchOf(['old']));
    const heal = world.sim.volume().inject(({ call }) => (call === 'write' ? 'EIO' : undefined));
    expect((await client.produce('logs', 0, batchOf(['lost']))).errorCode).toBe(56);
    heal();
    await recreate(client);
    expect((await client.produce('logs', 0, batchOf(['new']))).baseOffset).toBe(0);
    world.sim.process('broker').kill();
    await world.restart();
    expect(await readBack(world)).toEqual([[0, 'new']]);
  }));

it('a deleted topic whose directory cannot be renamed makes room for its successor later', () =>
  inWorld({ topics: logs }, async (world) => {
    const client = await world.connect();
    await client.produce('logs', 0, batchOf(['old', 'older']));
    const heal = world.sim.volume().inject(({ call, path }) => {
      return call === 'rename' && path.endsWith('-delete') ? 'EIO' : undefined;
    });
    await recreate(client);
    const refused = await client.produce('logs', 0, batchOf(['new']));
    expect(refused.errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    expect(problems(world).map(({ id }) => id)).toEqual(['partition logs-0']);
    const metrics = () => world.sim.process('broker').metrics.render();
    expect(await metrics()).toMatch(/logflume_broker_offline_partitions(\{\})? 1\b/);
    heal();
    await world.client.clock.sleep(20_000);
    expect(problems(world)).toEqual([]);
    expect((await client.produce('logs', 0, batchOf(['new']))).baseOffset).toBe(0);
    expect(await readBack(world)).toEqual([[0, 'new']]);
    expect(await metrics()).toMatch(/logflume_broker_offline_partitions(\{\})? 0\b/);
  }));

it.each(['kill', 'go on'])(
  'a topic created anew begins at 0, whatever its predecessor had (%s)',
  (then) =>
    inWorld(
      {
        topics: { logs: { properties: { ...small, 'retention.ms': 10 } } },
        properties: { 'log.retention.check.interval.ms': 1000 },
      },
      async (world) => {
        const client = await world.connect();
        for (let index = 0; index < 6; index++) {
          await client.produce('logs', 0, batchOf(['x'.repeat(100)]));
        }
        await world.client.clock.sleep(5_000);
        expect((await client.fetch('logs', 0, 0)).errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE);
        // A restart, so that what is believed of the logs comes from the checkpoints.
        await world.broker.stop();
        await world.restart();
        const again = await world.connect();
        await recreate(again);
        expect((await again.produce('logs', 0, batchOf(['new']))).baseOffset).toBe(0);
        if (then === 'kill') {
          world.sim.process('broker').kill();
          await world.restart();
        }
        expect(await readBack(world)).toEqual([[0, 'new']]);
      },
    ),
);

it('the only topic does not come back when a kill hits its deletion', () =>
  inWorld({ topics: logs }, async (world) => {
    const client = await world.connect();
    await client.produce('logs', 0, batchOf(['old']));
    const broker = world.sim.process('broker');
    world.sim.volume().inject(({ call, path, process }) => {
      if (process !== 'broker' || call !== 'rename' || !path.endsWith('-delete')) return undefined;
      broker.kill();
      return 'EIO';
    });
    const body = { topicNames: ['logs'], timeoutMs: 1000 };
    await Promise.race([client.ask(DeleteTopics, body, 3), client.closed]);
    expect(broker.alive).toBe(false);
    await world.restart({ topics: {} });
    expect(world.broker.status().topics).toBe(0);
  }));

it('one log that failed keeps no other from being closed in order', () =>
  inWorld({ topics: { logs: { partitions: 3 } } }, async (world) => {
    const client = await world.connect();
    for (const index of [0, 1, 2]) await client.produce('logs', index, batchOf(['a', 'b']));
    const heal = world.sim.volume().inject(({ call, path }) => {
      return call === 'write' && path.includes('logs-0') ? 'EIO' : undefined;
    });
    await client.produce('logs', 0, batchOf(['c']));
    await expect(world.broker.stop()).rejects.toThrow(/logs-0/);
    heal();
    const { disk } = world.sim.process('broker');
    const text = disk.readFileSync('/data/recovery-point-offset-checkpoint').toString();
    expect(text).toBe('0\n3\nlogs 0 0\nlogs 1 2\nlogs 2 2\n');
    expect(disk.listSync('/data')).not.toContain('.kafka_cleanshutdown');
    await world.restart();
    expect(await readBack(world)).toEqual([
      [0, 'a'],
      [1, 'b'],
    ]);
  }));

it.each(['EIO', 'EMFILE', 'EROFS'])('a partition comes back by itself after %s', (code) =>
  inWorld({ topics: { logs: { partitions: 1, properties: small } } }, async (world) => {
    const client = await world.connect();
    const values = (text: string) => batchOf([text.padEnd(100, '.')]);
    await client.produce('logs', 0, values('0'));
    const heal = world.sim.volume().inject(({ call, opens }) => {
      return opens || (code !== 'EMFILE' && call === 'write') ? code : undefined;
    });
    let refused = 0;
    for (let index = 0; index < 3; index++) {
      const { errorCode } = await client.produce('logs', 0, values('1'.repeat(90)));
      if (errorCode === 56) refused++;
      else expect(errorCode).toBe(0);
    }
    expect(refused).toBeGreaterThan(0);
    await world.client.clock.sleep(5000);
    // Beside it the lock's heartbeat, which is not what this is about.
    const ids = problems(world).map(({ id }) => id);
    expect(ids.filter((id) => !id.startsWith('lock of'))).toHaveLength(1);
    heal();
    await world.client.clock.sleep(60_000);
    expect((await client.produce('logs', 0, values('2'))).errorCode).toBe(0);
    expect(problems(world)).toEqual([]);
    const offsets = (await readBack(world)).map(([offset]) => offset);
    expect(offsets).toEqual([0, 1, 2, 3].slice(0, offsets.length));
  }),
);

// With 10 in use there is room for one: those that are opened beside it must not think so too.
it.each([
  [11, [0, 1, 2]],
  [10, [1, 2]],
])('partitions for which no descriptors are left start offline: %i in use', (used, offline) =>
  inWorld({ topics: { logs: { partitions: 3 } } }, async (world) => {
    const client = await world.connect();
    for (const index of [0, 1, 2]) await client.produce('logs', index, batchOf(['a']));
    await world.broker.stop();
    const { disk } = world.sim.process('broker');
    disk.makeDirectorySync('/proc/self/fd');
    disk.replaceFileSync('/proc/self/limits', 'Max open files            16    16    files\n');
    // Clients may fill 12, logs 11.
    for (let open = 0; open < used; open++) disk.replaceFileSync(`/proc/self/fd/${open}`, '');
    await world.restart();
    const ids = offline.map((index) => `partition logs-${index}`);
    expect(problems(world).map(({ id }) => id)).toEqual(ids);
    expect(problems(world)[0]?.text).toMatch(/ulimit -n \(LimitNOFILE/);
    const again = await world.connect();
    expect((await again.produce('logs', 2, batchOf(['b']))).errorCode).toBe(56);
    for (let open = 0; open < used; open++) disk.removeSync(`/proc/self/fd/${open}`);
    await world.client.clock.sleep(60_000);
    expect(problems(world)).toEqual([]);
    expect((await again.produce('logs', 0, batchOf(['b']))).baseOffset).toBe(1);
    expect(await readBack(world)).toEqual([
      [0, 'a'],
      [1, 'b'],
    ]);
  }),
);

it('a failed sync is made good by writing again what was not synced', () =>
  inWorld({ topics: { logs: { properties: { 'flush.messages': 1 } } } }, async (world) => {
    const client = await world.connect();
    await client.produce('logs', 0, batchOf(['a']));
    let failing = true;
    world.sim.volume().inject(({ call, path }) => {
      return failing && call === 'sync' && path.endsWith('.log') ? 'EIO' : undefined;
    });
    expect((await client.produce('logs', 0, batchOf(['b']))).errorCode).toBe(56);
    failing = false;
    await world.client.clock.sleep(2000);
    expect((await client.produce('logs', 0, batchOf(['c']))).errorCode).toBe(0);
    world.sim.powerLoss();
    await world.restart();
    const found = await readBack(world);
    expect(found.map(([, value]) => value)).toEqual(['a', 'b', 'c']);
  }));

it('a full disk is a problem at once, and none once an append succeeds', () =>
  inWorld({ topics: logs }, async (world) => {
    const client = await world.connect();
    await client.produce('logs', 0, batchOf(['a']));
    const volume = world.sim.volume();
    volume.capacityBytes = volume.usedBytes;
    expect((await client.produce('logs', 0, batchOf(['b']))).errorCode).toBe(56);
    expect(problems(world)).toMatchObject([{ id: 'DISK_FULL' }]);
    volume.capacityBytes = Number.POSITIVE_INFINITY;
    expect((await client.produce('logs', 0, batchOf(['b']))).baseOffset).toBe(1);
    expect(problems(world)).toEqual([]);
  }));

it('a leader knows its epoch before anything is appended, and writes it down', () =>
  inWorld({ topics: logs }, async (world) => {
    const ask = async (leaderEpoch: number) => {
      const client = await world.connect();
      const partitions = [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch }];
      const body = { topics: [{ topic: 'logs', partitions }] };
      return (await client.ask(OffsetForLeaderEpoch, body, 3)).topics[0]?.partitions[0];
    };
    expect(await ask(0)).toMatchObject({ leaderEpoch: 0, endOffset: 0 });
    const { disk } = world.sim.process('broker');
    const read = () => disk.readFileSync('/data/logs-0/leader-epoch-checkpoint').toString();
    expect(read()).toBe('0\n1\n0 0\n');
    const client = await world.connect();
    await client.produce('logs', 0, batchOf(['a', 'b']));
    world.sim.process('broker').kill();
    await world.restart();
    expect(await ask(1)).toMatchObject({ leaderEpoch: 1, endOffset: 2 });
    expect(await ask(0)).toMatchObject({ leaderEpoch: 0, endOffset: 2 });
    expect(
      world.sim
        .process('broker')
        .disk.readFileSync('/data/logs-0/leader-epoch-checkpoint')
        .toString(),
    ).toBe('0\n2\n0 0\n1 2\n');
  }));

it('what is sealed is synced in the background, and a kill rescans only what came later', () =>
  inWorld(
    {
      topics: { logs: { properties: small } },
      properties: { 'log.flush.offset.checkpoint.interval.ms': 1000 },
    },
    async (world) => {
      const client = await world.connect();
      const read: string[] = [];
      for (let index = 0; index < 20; index++) {
        await client.produce('logs', 0, batchOf([`${index}`.padEnd(100, '.')]));
      }
      await world.client.clock.sleep(3000);
      const broker = world.sim.process('broker');
      const { disk } = broker;
      const text = disk.readFileSync('/data/recovery-point-offset-checkpoint').toString();
      expect(text).toBe('0\n1\nlogs 0 19\n');
      broker.kill();
      world.sim.volume().inject(({ call, path }) => {
        if (call === 'write' && path.endsWith('.index')) read.push(path);
        return undefined;
      });
      await world.restart();
      expect(new Set(read).size).toBeLessThanOrEqual(1);
      expect((await readBack(world)).length).toBe(20);
    },
  ));
