import { describe, expect, it } from 'vitest';
import { ClusterMetadata, FileMetadataStore } from '../../broker/metadata/index.js';
import { crashAtEveryStep, createSimSystem, type SimProcess } from '../../system/sim/index.js';

const PATH = '/meta/metadata.json';

function openStore(process: SimProcess): FileMetadataStore {
  process.disk.makeDirectorySync('/meta');
  process.disk.syncDirectorySync('/');
  return FileMetadataStore.open(process.disk, PATH);
}

describe('FileMetadataStore', () => {
  it('changes by compare-and-swap, all keys or none, and tells its watchers', async () => {
    const sim = createSimSystem({ seed: 1 });
    await sim.run(async () => {
      const store = openStore(sim.process('a'));
      const seen: unknown[] = [];
      const stop = store.watch('topics/', (key, entry) => seen.push([key, entry?.value]));
      expect(await store.compareAndSwap([{ key: 'topics/x', expected: 0, value: 1 }])).toBe(true);
      expect(await store.compareAndSwap([{ key: 'topics/x', expected: 0, value: 2 }])).toBe(false);
      const both = [
        { key: 'topics/y', expected: 0, value: 1 },
        { key: 'topics/x', expected: 99, value: 2 },
      ];
      expect(await store.compareAndSwap(both)).toBe(false);
      const revision = (await store.get('topics/x')).get('topics/x')?.revision ?? 0;
      const swap = [{ key: 'topics/x', expected: revision, value: undefined }];
      expect(await store.compareAndSwap(swap)).toBe(true);
      stop();
      await store.compareAndSwap([{ key: 'topics/z', expected: 0, value: 1 }]);
      expect(seen).toEqual([
        ['topics/x', 1],
        ['topics/x', undefined],
      ]);
      expect([...(await store.get('')).keys()]).toEqual(['topics/z']);
    });
  });

  it('of several at once one wins, and all are there afterwards', async () => {
    const sim = createSimSystem({ seed: 2 });
    await sim.run(async () => {
      const process = sim.process('a');
      const metadata = await ClusterMetadata.open(openStore(process), process.random);
      const ids = await Promise.all(
        Array.from({ length: 2500 }, () => metadata.allocateProducerId()),
      );
      expect(new Set(ids).size).toBe(2500);
      await Promise.all(
        ['a', 'b', 'c'].map((name) =>
          metadata.changeTopic(name, () => ({ name, id: name, properties: {}, partitions: [] })),
        ),
      );
      expect([...metadata.image.topics.keys()]).toEqual(['a', 'b', 'c']);
      const again = await ClusterMetadata.open(openStore(process), process.random);
      expect(again.image).toEqual(metadata.image);
    });
  });

  it('survives a crash at every step with the old or the new state', async () => {
    let done: number[] = [];
    const crashes = await crashAtEveryStep({
      seed: 1,
      kinds: ['kill', 'torn', 'powerLoss'],
      prepare: async () => {
        done = [];
      },
      work: async (process) => {
        const store = openStore(process);
        for (let value = 1; value <= 3; value++) {
          const revision = (await store.get('k')).get('k')?.revision ?? 0;
          await store.compareAndSwap([{ key: 'k', expected: revision, value }]);
          done.push(value);
        }
      },
      check: async (sim) => {
        const store = openStore(sim.process('after'));
        const value = Number((await store.get('k')).get('k')?.value ?? 0);
        const promised = done.at(-1) ?? 0;
        expect([promised, promised + 1]).toContain(value);
      },
    });
    expect(crashes).toBeGreaterThan(20);
  });

  it('changes on a disk without room or inodes, kill after kill, once it had room', async () => {
    const revisionOf = async (store: FileMetadataStore) =>
      (await store.get('k')).get('k')?.revision ?? 0;
    let done: number[] = [];
    let furthest = 0;
    const crashes = await crashAtEveryStep({
      seed: 1,
      kinds: ['kill', 'torn', 'powerLoss'],
      prepare: async (sim) => {
        done = [0];
        const store = openStore(sim.process('before'));
        await store.compareAndSwap([{ key: 'k', expected: 0, value: 0 }]);
        sim
          .volume()
          .inject(({ creates, path }) => (creates && path.endsWith('.tmp') ? 'ENOSPC' : undefined));
      },
      work: async (process) => {
        for (let value = 1; value <= 3; value++) {
          const store = openStore(process);
          const expected = await revisionOf(store);
          await store.compareAndSwap([{ key: 'k', expected, value }]);
          done.push(value);
          furthest = Math.max(furthest, value);
        }
      },
      check: async (sim) => {
        const store = openStore(sim.process('after'));
        const value = Number((await store.get('k')).get('k')?.value);
        const promised = done.at(-1) ?? 0;
        expect([promised, promised + 1]).toContain(value);
      },
    });
    expect(crashes).toBeGreaterThan(20);
    expect(furthest).toBe(3);
  });
});
