import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Store,
  type StoreComponent,
  storeComponents,
} from '../../../../sinks/archive/stores/index.js';
import {
  crashAtEveryStep,
  createSimSystem,
  forEachSeed,
  type SimProcess,
  type Simulation,
} from '../../../../system/sim/index.js';
import { makeBucket, memory } from './memory.js';

/** A store whose promises are tested, with options that hold in any simulation. */
interface Candidate {
  readonly component: StoreComponent;
  readonly options: Readonly<Record<string, unknown>>;
  /** Makes what must be there before it, outside of every machine. */
  readonly prepare?: () => void;
}

const candidates: Readonly<Record<string, Candidate>> = {
  memory: {
    component: memory,
    options: { bucket: 'logs', staging: '/staging' },
    prepare: () => makeBucket('logs'),
  },
  ...Object.fromEntries(
    storeComponents.map((component) => [
      component.type,
      { component, options: optionsOf(component) },
    ]),
  ),
};

/** One line for each type of store. */
function optionsOf({ type }: StoreComponent): Readonly<Record<string, unknown>> {
  const known: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    local: { root: '/srv/archive' },
  };
  const options = known[type];
  if (options === undefined) throw new Error(`the contract does not know how to open ${type}`);
  return options;
}

const SEEDS = Array.from({ length: 12 }, (_, i) => i);
const text = (word: string, bytes = 40) => Buffer.from(`${word}\n`.repeat(bytes));

describe.each(Object.entries(candidates))('the store %s', (_, candidate) => {
  const open = (system: SimProcess, writer = system.name): Store => {
    const { component, options } = candidate;
    return component.create(component.schema.parse(options), { system, writer });
  };

  /** Runs in a world of its own, over and over, each time with other latencies. */
  const inWorlds = (work: (sim: Simulation) => Promise<void>) =>
    forEachSeed(SEEDS, async (sim) => {
      candidate.prepare?.();
      await work(sim);
    });

  it('creates an object once, whoever else tries it at the same time', () =>
    inWorlds(async (sim) => {
      const name = '_claims/sink/cluster/topic.id/0/genesis.json';
      const writers = ['a', 'b', 'c', 'd'];
      const answers = await Promise.all(
        writers.map((writer) =>
          open(sim.process('one'), writer).createIfAbsent(name, text(writer)),
        ),
      );
      expect(answers.filter((created) => created)).toHaveLength(1);
      const winner = writers[answers.indexOf(true)] ?? '';
      const reader = open(sim.process('reader'));
      expect(await reader.read(name)).toEqual(text(winner));
      expect(await reader.createIfAbsent(name, text('late'))).toBe(false);
      expect(await reader.createIfAbsent(name, text(winner))).toBe(false);
      expect(await reader.read(name)).toEqual(text(winner));
    }));

  it('publishes a local file once, and leaves what was there', () =>
    inWorlds(async (sim) => {
      const name = 'topic/dt=2026-11-21/hour=08/topic.id+0+00+09.log';
      const writers = ['a', 'b', 'c'].map((word) => ({ word, process: sim.process('one') }));
      const answers = await Promise.all(
        writers.map(async ({ word, process }) => {
          const store = open(process, word);
          return store.publish(await stage(process, store, text(word)), name);
        }),
      );
      expect(answers.filter((published) => published)).toHaveLength(1);
      const winner = writers[answers.indexOf(true)]?.word ?? '';
      const reader = open(sim.process('reader'));
      expect(await scanned(reader, name)).toEqual(text(winner));
      // Whoever repeats a call whose answer was lost is told that it is there.
      const again = sim.process('again');
      const store = open(again);
      expect(await store.publish(await stage(again, store, text('late')), name)).toBe(false);
      expect(await scanned(reader, name)).toEqual(text(winner));
    }));

  it('reads objects and scans files of any size, and knows what is not there', () =>
    inWorlds(async (sim) => {
      const process = sim.process('one');
      const store = open(process);
      for (const bytes of [0, 1, 3_000_001]) {
        const content = Buffer.alloc(bytes, 'content ');
        const name = `topic/${bytes}.log`;
        expect(await store.publish(await stage(process, store, content), name)).toBe(true);
        expect((await scanned(store, name))?.equals(content)).toBe(true);
        expect((await store.read(name))?.equals(content)).toBe(true);
      }
      for (const name of ['topic/none', 'none', 'none/none']) {
        expect(await store.read(name)).toBeUndefined();
        expect(await store.scan(name, () => expect.fail('there is nothing'))).toBeUndefined();
      }
    }));

  it('names files below a directory and its folders, sorted', () =>
    inWorlds(async (sim) => {
      const store = open(sim.process('one'));
      const names = ['t/b/2', 't/b/1', 't/b.c/1', 't/a', 't/b/c/d/1', 'tt/1', 't/z/1'];
      for (const name of names) await store.createIfAbsent(name, text(name));
      const below = names.filter((name) => name.startsWith('t/')).sort();
      expect(await store.files('t')).toEqual(below);
      expect(await store.files('t/b')).toEqual(['t/b/1', 't/b/2', 't/b/c/d/1']);
      expect((await store.files('')).filter((name) => !name.startsWith('_'))).toEqual(
        [...names].sort(),
      );
      expect(await store.folders('t')).toEqual(['b', 'b.c', 'z']);
      expect(await store.folders('t/b/c')).toEqual(['d']);
      expect(await store.folders('t/b/c/d')).toEqual([]);
      expect(await store.files('none')).toEqual([]);
      expect(await store.folders('none')).toEqual([]);
    }));

  it('has what it has answered for, and whole, wherever a machine stops', async () => {
    const claim = 'a/b/claim.json';
    const file = 'c/d/file.log';
    let answered = new Set<string>();
    const tried = await crashAtEveryStep({
      seed: 7,
      kinds: ['kill', 'torn', 'powerLoss'],
      process: 'writer',
      async prepare() {
        candidate.prepare?.();
        answered = new Set();
      },
      async work(process) {
        const others = ['first', 'second'].map((writer) => open(process, writer));
        const both = others.map(async (store) => {
          await store.createIfAbsent(claim, text('claim'));
          answered.add(claim);
          await store.publish(await stage(process, store, text('file')), file);
          answered.add(file);
        });
        await Promise.all(both);
      },
      async check(sim) {
        const store = open(sim.process('reader'));
        const contents = { [claim]: text('claim'), [file]: text('file') };
        for (const [name, content] of Object.entries(contents)) {
          const found = await store.read(name);
          if (found !== undefined) expect(found).toEqual(content);
          if (answered.has(name)) expect(found, `${name} was answered for`).toBeDefined();
          // What it says to the next writer is true.
          expect(await store.createIfAbsent(name, content)).toBe(found === undefined);
          expect(await store.read(name)).toEqual(content);
        }
      },
    });
    expect(tried).toBeGreaterThan(0);
  });

  it('tells where it is, and whether it is there', async () => {
    const sim = createSimSystem({ seed: 1 });
    const system = sim.process('one');
    const { component, options } = candidate;
    const parsed = component.schema.parse(options);
    const place = component.place(parsed);
    expect(place.id).toBe(component.place(component.schema.parse(options)).id);
    expect(place.name).not.toBe('');
    expect(Object.keys(parsed)).toContain(place.option);
    candidate.prepare?.();
    await sim.run(open(system).createIfAbsent('a', text('a')));
    expect(await sim.run(place.isPresent(system))).toBe(true);
    const findings = await sim.run(place.outlook(system));
    expect(findings.map(({ outcome }) => outcome)).toEqual(['good']);
  });
});

/** Puts a file where the store's writer builds files, synced as it is before it is published. */
async function stage(process: SimProcess, store: Store, content: Buffer): Promise<string> {
  const { disk, random } = process;
  const path = join(store.stagingDirectory, `${random.bytes(8).toString('hex')}.part`);
  await disk.makeDirectory(store.stagingDirectory);
  const file = await disk.open(path, 'w');
  await file.write([content], 0);
  await file.sync();
  file.closeSync();
  return path;
}

async function scanned(store: Store, name: string): Promise<Buffer | undefined> {
  const slices: Buffer[] = [];
  const size = await store.scan(name, (slice) => slices.push(Buffer.from(slice)));
  const content = Buffer.concat(slices);
  expect(size).toBe(size === undefined ? undefined : content.length);
  return size === undefined ? undefined : content;
}
