import { expect, it } from 'vitest';
import { LogDirectory } from '../../broker/log-directory.js';
import { Partition } from '../../broker/partition.js';
import { PartitionOpener } from '../../broker/partition-opener.js';
import { topicSettings } from '../../broker/properties/index.js';
import { Shortages } from '../../broker/shortages.js';
import { createSimSystem } from '../../system/sim/index.js';
import { batchOf, SMALL } from './world.js';

const properties = Object.fromEntries(
  Object.entries(SMALL).map(([key, value]) => [key, String(value)]),
);
const counter = { value: 0, inc: () => {} };

it('a log that fails while it is let go of is never opened again', () => {
  const sim = createSimSystem({ seed: 5 });
  return sim.run(async () => {
    const system = sim.process('broker');
    system.disk.makeDirectorySync('/data');
    const directory = new LogDirectory(system.disk, '/data', system.log);
    const partitionOf = (topicId: string) =>
      new Partition(
        { topic: 'logs', topicId, index: 0 },
        0,
        topicSettings({}, properties),
        1,
        { recordsIn: counter, bytesIn: counter, bytesOut: counter },
        new Shortages(system),
      );
    const failAppend = (partition: Partition) => {
      const heal = sim.volume().inject(({ call }) => (call === 'write' ? 'EIO' : undefined));
      expect(() => partition.append(batchOf(['lost']))).toThrow(/EIO/);
      heal();
    };
    let released: Promise<void> | undefined;
    const opener = new PartitionOpener(system, directory, {
      claim: async ({ id: { topic, index, topicId } }) => {
        await directory.claim(topic, index, topicId, 'unique');
      },
      saveCheckpoints: async () => {},
      cameBack: async (partition) => {
        released = opener.release(partition);
        failAppend(partition);
      },
    });
    const old = partitionOf('A'.repeat(22));
    await opener.open(old);
    failAppend(old);
    while (released === undefined) await system.clock.sleep(100);
    await released;
    await old.abandon();
    await directory.retire({ topic: 'logs', partition: 0, topicId: old.id.topicId }, 'gone');

    const next = partitionOf('B'.repeat(22));
    await opener.open(next);
    next.append(batchOf(['new']));
    const touched: string[] = [];
    sim.volume().inject(({ path }) => {
      if (path.startsWith('/data/logs-0')) touched.push(path);
      return undefined;
    });
    await system.clock.sleep(300_000);
    expect(touched).toEqual([]);
    expect(system.problems.list()).toEqual([]);
  });
});
