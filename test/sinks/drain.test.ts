import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Broker } from '../../broker/index.js';
import { Consumer, Producer } from '../../client/index.js';
import { SinkRunner } from '../../sinks/runner.js';
import type { Sink } from '../../sinks/sink.js';
import type { PartitionWorker } from '../../sinks/worker.js';
import { createRealSystem } from '../../system/real/index.js';

const status = { doneTo: 0, readTo: 0, heldRecords: 0, heldBytes: 0, blocked: undefined };

/** A worker whose drains end when it is told, or closed. */
class SlowWorker implements PartitionWorker {
  readonly status = status;
  isDraining = false;
  finish = (): void => {};
  start(): void {}
  take(): void {}
  tick(): void {}
  cut(): void {}

  drain(): Promise<void> {
    this.isDraining = true;
    return new Promise((resolve) => {
      this.finish = resolve;
    });
  }

  async close(): Promise<void> {
    this.finish();
  }
}

it('a drain goes on with the worker that follows one whose partition was taken away', async () => {
  const system = createRealSystem({ logLevel: 'silent' });
  const directory = mkdtempSync(join(tmpdir(), 'logflume-drain-'));
  const broker = await Broker.start({ dataDir: join(directory, 'broker') }, system);
  const bootstrap = [broker.address];
  const producer = new Producer({ bootstrap }, system);
  for (const topic of ['logs', 'other']) {
    await producer.send([{ topic, key: null, value: 'one', timestamp: 0 }]);
  }
  await producer.close();
  const workers: SlowWorker[] = [];
  const sink: Sink = {
    maxBytes: 1_000,
    createWorker: () => {
      const worker = new SlowWorker();
      workers.push(worker);
      return worker;
    },
    leftovers: async () => [],
    close: async () => {},
  };
  const options = { system, name: 'slow', clientId: 'slow', topics: ['logs'], bootstrap };
  const runner = new SinkRunner({ ...options, instance: 'here', sink });
  runner.start();
  let isDrained = false;
  const drained = runner.drain().then(() => {
    isDrained = true;
  });
  await expect.poll(() => workers[0]?.isDraining, { timeout: 10_000 }).toBe(true);
  // Another member joins the group, so all partitions are given out anew.
  const groupId = 'logflume-slow';
  const member = new Consumer({ bootstrap, groupId }, system);
  member.subscribe({ topics: ['other'] });
  const batches = member.batches()[Symbol.asyncIterator]();
  const first = batches.next();
  await expect.poll(() => workers[1]?.isDraining, { timeout: 20_000 }).toBe(true);
  expect(isDrained).toBe(false);
  workers[1]?.finish();
  await drained;
  await member.close();
  await first.catch(() => {});
  await runner.stop();
  await broker.stop();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);
