import { describe, expect, it } from 'vitest';
import { CreateTopics, DeleteTopics, ErrorCode } from '../../protocol/index.js';
import { batchOf, inWorld } from './world.js';

describe('while a broker runs', () => {
  it('old segments go, in time', () =>
    inWorld(
      {
        properties: { 'log.retention.check.interval.ms': 1000 },
        topics: { logs: { properties: { 'retention.ms': 5000, 'segment.bytes': 100 } } },
      },
      async ({ connect, sim }) => {
        const client = await connect();
        const timestamp = () => sim.process('client').clock.now();
        for (let i = 0; i < 5; i++) {
          await client.produce('logs', 0, batchOf([`v${i}`], { timestamp: timestamp() }));
        }
        expect((await client.fetch('logs', 0, 0)).errorCode).toBe(0);
        await sim.process('client').clock.sleep(7000);
        await client.produce('logs', 0, batchOf(['new'], { timestamp: timestamp() }));
        const gone = await client.fetch('logs', 0, 0);
        expect(gone).toMatchObject({ errorCode: ErrorCode.OFFSET_OUT_OF_RANGE });
        expect(gone.logStartOffset).toBeGreaterThan(0);
        expect((await client.fetch('logs', 0, gone.logStartOffset)).errorCode).toBe(0);
      },
    ));

  it('the recovery points are written down', () =>
    inWorld(
      {
        properties: { 'log.flush.offset.checkpoint.interval.ms': 1000 },
        topics: { logs: { properties: { 'flush.messages': 1 } } },
      },
      async ({ connect, sim }) => {
        const client = await connect();
        await client.produce('logs', 0, batchOf(['a', 'b', 'c']));
        await sim.process('client').clock.sleep(2000);
        const { disk } = sim.process('broker');
        const text = disk.readFileSync('/data/recovery-point-offset-checkpoint').toString();
        expect(text).toBe('0\n1\nlogs 0 3\n');
      },
    ));

  it('what comes in and goes out is counted by topic', () =>
    inWorld({}, async ({ connect, sim }) => {
      const client = await connect();
      await client.produce('logs', 0, batchOf(['a', 'b']));
      const { records } = await client.fetch('logs', 0, 0);
      const text = await sim.process('broker').metrics.render();
      expect(text).toMatch(/logflume_broker_topic_in_records_total\{topic="logs"\} 2\b/);
      expect(text).toContain(
        `logflume_broker_topic_out_bytes_total{topic="logs"} ${records.length}`,
      );
      expect(text).toMatch(/logflume_broker_requests_total\{api="Fetch"\} 1\b/);
      expect(text).toMatch(/logflume_broker_connections(\{\})? 1\b/);
      expect(text).toMatch(/logflume_broker_partitions(\{\})? 2\b/);
    }));

  it('what was counted of a topic goes with it; one of the same name begins anew', () =>
    inWorld({}, async ({ connect, sim }) => {
      const client = await connect();
      await client.produce('logs', 0, batchOf(['a', 'b']));
      await client.ask(DeleteTopics, { topics: [{ name: 'logs' }], timeoutMs: 1 });
      const { metrics } = sim.process('broker');
      expect(await metrics.render()).not.toContain('topic="logs"');
      const topic = { name: 'logs', numPartitions: 1, replicationFactor: 1 };
      const body = { topics: [{ ...topic, assignments: [], configs: [] }], timeoutMs: 1 };
      await client.ask(CreateTopics, body);
      await client.produce('logs', 0, batchOf(['c']));
      const labels = { topic: 'logs' };
      expect(metrics.value('logflume_broker_topic_in_records_total', labels)).toBe(1);
    }));
});
