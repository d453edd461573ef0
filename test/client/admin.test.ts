import { describe, expect, it } from 'vitest';
import { Admin } from '../../client/admin/index.js';
import { Consumer } from '../../client/consumer/index.js';
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP } from '../../client/offsets.js';
import { createSimSystem } from '../../system/sim/index.js';
import { bootstrap, produce, withBroker } from './on-broker.js';

describe('admin', () => {
  it('creates, describes, grows, alters and deletes topics', async () => {
    const { sim } = await withBroker({});
    const admin = new Admin({ bootstrap }, sim.process('admin'));
    await sim.run(async () => {
      await admin.createTopic({ name: 't', partitions: 2, configs: { 'retention.ms': '1000' } });
      await expect(admin.createTopic({ name: 't' })).rejects.toMatchObject({
        code: 'TOPIC_ALREADY_EXISTS',
      });
      expect((await admin.describeTopic('t')).partitions.length).toBe(2);
      await admin.createPartitions('t', 3);
      expect((await admin.describeTopic('t')).partitions.length).toBe(3);
      const topic = { type: 'topic', name: 't' } as const;
      const configOf = async (name: string) =>
        (await admin.describeConfigs(topic)).find((entry) => entry.name === name);
      expect(await configOf('retention.ms')).toMatchObject({ value: '1000', isDefault: false });
      await admin.alterConfigs(topic, {
        set: { 'segment.bytes': '1048576' },
        remove: ['retention.ms'],
      });
      expect(await configOf('segment.bytes')).toMatchObject({ value: '1048576' });
      expect((await configOf('retention.ms'))?.isDefault).toBe(true);
      expect((await admin.listTopics()).map(({ name }) => name)).toContain('t');
      await admin.deleteTopic('t');
      await expect(admin.describeTopic('t')).rejects.toMatchObject({
        code: 'UNKNOWN_TOPIC_OR_PARTITION',
        message: expect.stringContaining('topic t'),
      });
      const { brokers, clusterId } = await admin.describeCluster();
      expect(brokers).toMatchObject([{ host: '127.0.0.1', port: 9092 }]);
      expect(clusterId).toMatch(/^[\w-]{22}$/);
    });
    admin.close();
  });

  it('looks at groups, moves their offsets and deletes them', async () => {
    const { sim } = await withBroker({ t: { partitions: 2 } });
    const app = sim.process('app');
    const admin = new Admin({ bootstrap }, sim.process('admin'));
    await sim.run(async () => {
      await produce(app, 't', 0, ['a', 'b', 'c']);
      const consumer = new Consumer(
        { bootstrap, groupId: 'g', autoOffsetReset: 'earliest', clientId: 'me' },
        app,
      );
      consumer.subscribe({ topics: ['t'] });
      const stream = consumer.batches();
      await stream.next();
      await consumer.commit([{ topic: 't', partition: 0, offset: 2 }]);
      const group = await admin.describeGroup('g');
      expect(group).toMatchObject({ state: 'Stable', assignor: 'range', protocolType: 'consumer' });
      expect(group.members).toMatchObject([
        {
          clientId: 'me',
          topics: ['t'],
          assignment: [
            { topic: 't', partition: 0 },
            { topic: 't', partition: 1 },
          ],
        },
      ]);
      expect(await admin.listGroups()).toMatchObject([{ groupId: 'g', state: 'Stable' }]);
      const offsets = [{ topic: 't', partition: 0, offset: 1 }];
      await expect(admin.resetGroup('g', offsets)).rejects.toMatchObject({
        code: 'NON_EMPTY_GROUP',
      });
      await expect(admin.deleteGroup('g')).rejects.toMatchObject({ code: 'NON_EMPTY_GROUP' });
      await consumer.close();
      await admin.resetGroup('g', offsets);
      expect(await admin.groupOffsets('g')).toContainEqual(offsets[0]);
      await admin.deleteGroup('g');
      await expect(admin.describeGroup('g')).rejects.toMatchObject({ code: 'GROUP_ID_NOT_FOUND' });
    });
    admin.close();
  });

  it('finds offsets by time and the ends', async () => {
    const { sim } = await withBroker({ t: { partitions: 1 } });
    const app = sim.process('app');
    const admin = new Admin({ bootstrap }, app);
    await sim.run(async () => {
      for (const time of [1000, 2000]) await produce(app, 't', 0, ['x'], time);
      const at = { topic: 't', partition: 0 };
      const found = await admin.listOffsets(
        [EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, 1500, 9000].map((timestamp) => ({
          ...at,
          timestamp,
        })),
      );
      expect(found.map(({ offset }) => offset)).toEqual([0, 2, 1, -1]);
      await expect(
        admin.listOffsets([{ topic: 'none', partition: 0, timestamp: -1 }]),
      ).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    });
    admin.close();
  });

  it('gives up with address and cause where no broker answers', async () => {
    const sim = createSimSystem({ seed: 1 });
    const admin = new Admin({ bootstrap, timeoutMs: 3000 }, sim.process('admin'));
    await expect(sim.run(admin.listTopics())).rejects.toMatchObject({
      code: 'GAVE_UP',
      message: expect.stringMatching(
        /3000 ms: cannot connect to the broker at 127.0.0.1:9092: .*refused/,
      ),
    });
    expect(sim.now).toBeLessThan(3000);
    admin.close();
  });
});
