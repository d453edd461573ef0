import { describe, expect, it } from 'vitest';
import {
  ApiVersions,
  decodeResponse,
  ErrorCode,
  encodeRequest,
  Fetch,
  Metadata,
  Produce,
} from '../../protocol/index.js';
import { detach } from '../../system/index.js';
import { batchOf, inWorld, RawClient } from './world.js';

const produceBody = (records: Buffer, acks = -1) => ({
  acks,
  timeoutMs: 1000,
  topicData: [{ name: 'logs', partitionData: [{ index: 0, records }] }],
});

describe('ApiVersions', () => {
  it.each([0, 1, 2, 3, 4])('v%i names every API with its versions', (version) =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      const { errorCode, apiKeys } = await client.ask(ApiVersions, {}, version);
      expect(errorCode).toBe(0);
      const ranges = new Map(apiKeys.map((one) => [one.apiKey, [one.minVersion, one.maxVersion]]));
      expect([...ranges.keys()].sort((a, b) => a - b)).toEqual([
        0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 22, 23, 32, 37, 42, 44, 60,
      ]);
      // Advertised from 0 though taken from 3 (KAFKA-18659).
      expect(ranges.get(0)).toEqual([0, 13]);
      expect(ranges.get(1)).toEqual([4, 18]);
      expect(ranges.get(22)).toEqual([0, 5]);
    }),
  );

  it('in a version that is not offered is answered in v0 with UNSUPPORTED_VERSION', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      const frame = await client.exchange((id) => {
        const [bytes] = encodeRequest(ApiVersions, 4, id, 'x', {}) as [Buffer];
        bytes.writeInt16BE(99, 6);
        return [bytes];
      });
      const { body } = decodeResponse(ApiVersions, 0, frame);
      expect(body.errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION);
      expect(body.apiKeys).toEqual([{ apiKey: 18, minVersion: 0, maxVersion: 4 }]);
      // The connection lives on.
      expect((await client.ask(ApiVersions, {})).errorCode).toBe(0);
    }));
});

describe('what closes a connection', () => {
  const sends = async (bytes: Buffer) => {
    await inWorld({ properties: { 'socket.request.max.bytes': 2_000_000 } }, async (world) => {
      const client = await world.connect();
      client.connection.write([bytes]);
      await client.closed;
      // Others are not harmed.
      const other = await world.connect();
      expect((await other.ask(ApiVersions, {})).errorCode).toBe(0);
      expect(world.sim.process('broker').logLines.map(({ level }) => level)).toContain('warn');
    });
  };
  const request = (patch: (frame: Buffer) => void) => {
    const frame = Buffer.concat(encodeRequest(Metadata, 1, 1, 'x', { topics: [] }));
    patch(frame);
    return frame;
  };

  it('a frame beyond socket.request.max.bytes', () => sends(Buffer.from('7fffffff', 'hex')));
  it('a negative length', () => sends(Buffer.from('ffffffff', 'hex')));
  it('an unknown API', () => sends(request((frame) => frame.writeInt16BE(77, 4))));
  it('a version that is not offered', () => sends(request((frame) => frame.writeInt16BE(14, 6))));
  it('a body that contradicts itself', () =>
    sends(request((frame) => frame.writeInt32BE(1000, frame.length - 4))));
  it('a frame too short for a header', () => sends(Buffer.from('000000020000', 'hex')));
});

describe('pipelined requests', () => {
  it('are answered in their order, though one waits', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }];
      const topics = [{ topic: 'logs', partitions }];
      const answers = [
        client.ask(Fetch, { maxWaitMs: 200, minBytes: 1, topics }, 12),
        client.ask(ApiVersions, {}),
        client.produce('logs', 0, batchOf(['a'])),
        client.produce('logs', 0, batchOf(['b'])),
        client.ask(ApiVersions, {}),
      ];
      await Promise.all(answers);
      expect(client.answered).toEqual([0, 1, 2, 3, 4]);
    }));

  it('produce requests wait for one sync together, others for their turn', () =>
    inWorld({ topics: { logs: { properties: { 'flush.messages': 1 } } } }, async ({ connect }) => {
      const client = await connect();
      const answers = ['a', 'b', 'c', 'd'].map((value) =>
        client.produce('logs', 0, batchOf([value])),
      );
      const after = client.fetch('logs', 0, 0);
      expect((await Promise.all(answers)).map(({ baseOffset }) => baseOffset)).toEqual([
        0, 1, 2, 3,
      ]);
      expect((await after).highWatermark).toBe(4);
      expect(client.answered).toEqual([0, 1, 2, 3, 4]);
    }));
});

describe('memory per connection is bounded', () => {
  it('reading stops while requests wait, and goes on', () =>
    inWorld({}, async ({ connect, sim }) => {
      const client = await connect();
      const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }];
      const topics = [{ topic: 'logs', partitions }];
      // Behind a long poll nothing else starts; 6 MB of requests must not be taken in meanwhile.
      const poll = client.ask(Fetch, { maxWaitMs: 1000, minBytes: 1, topics }, 12);
      const records = batchOf(['x'.repeat(300_000)]);
      const answers = Array.from({ length: 20 }, () =>
        client.ask(Produce, produceBody(records), 12),
      );
      await sim.process('client').clock.sleep(900);
      expect(client.connection.queuedBytes).toBeGreaterThan(4_000_000);
      await poll;
      await Promise.all(answers);
      expect(client.answered).toHaveLength(21);
    }));

  it('no request starts while the client does not take its answers', () =>
    inWorld({}, async ({ connect, sim }) => {
      const client = await connect();
      await client.produce('logs', 0, batchOf(['x'.repeat(600_000)]));
      client.connection.pause();
      const answers = Array.from({ length: 12 }, () => client.fetch('logs', 0, 0));
      await sim.process('client').clock.sleep(1000);
      const counter = sim
        .process('broker')
        .metrics.counter('logflume_broker_requests_total', '', { api: 'Fetch' });
      expect(counter.value).toBeLessThan(5);
      client.connection.resume();
      await Promise.all(answers);
      expect(counter.value).toBe(12);
    }));
});

describe('connections.max.idle.ms', () => {
  const properties = { 'connections.max.idle.ms': 5000 };

  it('closes a connection on which nothing happens', () =>
    inWorld({ properties }, async ({ connect, sim }) => {
      const client = await connect();
      const started = sim.now;
      await client.closed;
      expect(sim.now - started).toBeGreaterThanOrEqual(4990);
      expect(sim.now - started).toBeLessThan(5100);
    }));

  it('but not one that asks or waits', () =>
    inWorld({ properties }, async ({ connect, client: process }) => {
      const client = await connect();
      let closed = false;
      const close = client.closed.then(() => {
        closed = true;
      });
      detach(close, () => {});
      for (let i = 0; i < 3; i++) {
        await process.clock.sleep(4000);
        await client.ask(ApiVersions, {});
      }
      await client.fetch('logs', 0, 0, { maxWaitMs: 12_000 });
      expect(closed).toBe(false);
    }));
});

describe('a stop', () => {
  it('answers long polls and closes the connections', () =>
    inWorld({}, async ({ broker, connect, sim }) => {
      const client = await connect();
      const poll = client.fetch('logs', 0, 0, { maxWaitMs: 3_600_000 });
      await sim.process('client').clock.sleep(100);
      await broker.stop();
      expect((await poll).errorCode).toBe(0);
      await client.closed;
      expect(sim.now).toBeLessThan(3000);
    }));

  it('does not wait for a client that takes nothing', () =>
    inWorld({}, async ({ broker, connect, sim }) => {
      const client = await connect();
      await client.produce('logs', 0, batchOf(['x'.repeat(1_000_000)]));
      client.connection.pause();
      for (let i = 0; i < 5; i++) detach(client.fetch('logs', 0, 0), () => {});
      await sim.process('client').clock.sleep(100);
      await broker.stop();
      expect(sim.now).toBeLessThan(4000);
    }));

  it('frees the port and the folder', () =>
    inWorld({ listeners: [{ listen: { host: '127.0.0.1', port: 9092 } }] }, async (world) => {
      const client = await world.connect();
      await client.produce('logs', 0, batchOf(['kept']));
      await world.broker.stop();
      await world.restart();
      const again = await RawClient.connect(world.client, 9092);
      expect((await again.fetch('logs', 0, 0)).highWatermark).toBe(1);
    }));
});
