import { expect, it } from 'vitest';
import { BATCH_HEADER_BYTES } from '../../../protocol/records/index.js';
import { stampChecksum } from '../../../protocol/records/stamp.js';
import { createSimSystem } from '../../../system/sim/index.js';
import { batch, openLog } from './support.js';

/** A batch with these bytes under its codec's bits, as brokers once took it from anybody. */
function garbage(codec: 'gzip' | 'snappy' | 'lz4' | 'zstd', timestamp: number): Buffer {
  const head = batch(['x'], { codec, timestamp }).subarray(0, BATCH_HEADER_BYTES);
  const bytes = Buffer.concat([head, Buffer.from('never compressed by anybody')]);
  bytes.writeInt32BE(bytes.length - 12, 8);
  stampChecksum(bytes, 0);
  return bytes;
}

it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
  'a record is found by its time in a %s batch',
  async (codec) => {
    const sim = createSimSystem({ seed: 1 });
    await sim.run(async () => {
      const log = await openLog(sim.process('broker'), {}, {});
      for (const timestamp of [100, 200, 300]) {
        log.append(batch(['a', 'b'], { codec, timestamp }), { leaderEpoch: 0 });
      }
      expect(await log.offsetForTimestamp(150)).toMatchObject({ offset: 2, timestamp: 200 });
      expect(await log.offsetForTimestamp(-(2 ** 63))).toMatchObject({ offset: 0 });
      expect(await log.offsetForTimestamp(1_790_000_000 * 1e9)).toBeUndefined();
      expect(await log.offsetForTimestamp(2 ** 63)).toBeUndefined();
      expect(await log.offsetForMaxTimestamp()).toMatchObject({ offset: 4, timestamp: 300 });
      await log.close();
    });
  },
);

it.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
  '%s garbage that an earlier broker took is passed over',
  async (codec) => {
    const sim = createSimSystem({ seed: 1 });
    await sim.run(async () => {
      const log = await openLog(sim.process('broker'), {}, {});
      const take = (bytes: Buffer) => {
        bytes.writeInt32BE(log.endOffset, 4);
        log.append(bytes, { leaderEpoch: 0, validated: true });
      };
      take(batch(['a'], { timestamp: 100 }));
      take(garbage(codec, 200));
      take(batch(['b'], { codec, timestamp: 300 }));
      take(garbage(codec, 400));
      expect(await log.offsetForTimestamp(50)).toMatchObject({ offset: 0, timestamp: 100 });
      expect(await log.offsetForTimestamp(150)).toMatchObject({ offset: 2, timestamp: 300 });
      expect(await log.offsetForTimestamp(350)).toBeUndefined();
      expect(await log.offsetForMaxTimestamp()).toBeUndefined();
      await log.close();
    });
  },
);
