import { describe, expect, it } from 'vitest';
import { detach } from '../../system/index.js';
import { crashAtEveryStep, createSimSystem, forEachSeed } from '../../system/sim/index.js';

describe('the simulated crash', () => {
  it('leaves a replaced file old or new, wherever it strikes', async () => {
    const tried = await crashAtEveryStep({
      seed: 1,
      kinds: ['kill', 'torn', 'powerLoss'],
      prepare: async (sim) => {
        const { disk } = sim.process('before');
        disk.makeDirectorySync('/d');
        disk.syncDirectorySync('/');
        disk.replaceFileSync('/d/f', 'old');
      },
      work: (process) => process.disk.replaceFile('/d/f', 'new content'),
      check: async (sim) => {
        const content = sim.process('after').disk.readFileSync('/d/f').toString();
        expect(['old', 'new content']).toContain(content);
      },
    });
    expect(tried).toBe(3 * 5);
  });

  it.each([
    ['file', false, true],
    ['directory', true, false],
  ])('finds out that the sync of the %s is missing', async (_what, syncsFile, syncsDirectory) => {
    const crash = (seed: number) =>
      crashAtEveryStep({
        seed,
        kinds: ['powerLoss'],
        prepare: async (sim) => {
          const { disk } = sim.process('before');
          disk.makeDirectorySync('/other');
          disk.syncDirectorySync('/');
        },
        work: async ({ disk }) => {
          const file = disk.openSync('/f', 'w');
          file.writeSync([Buffer.alloc(4000, 'x')], 0);
          if (syncsFile) file.syncSync();
          if (syncsDirectory) disk.syncDirectorySync('/');
          // Nobody may see this before the content is safe.
          disk.makeDirectorySync('/other/done');
          disk.syncDirectorySync('/other');
          disk.removeSync('/other/nothing');
          disk.openSync('/other/next', 'w');
        },
        check: async (sim) => {
          const { disk } = sim.process('after');
          if (disk.statSync('/other/done') === undefined) return;
          expect(disk.readFileSync('/f').equals(Buffer.alloc(4000, 'x'))).toBe(true);
        },
      });
    const failures: string[] = [];
    for (let seed = 1; seed <= 30; seed++) {
      await crash(seed).catch((error) => failures.push(String(error)));
    }
    expect(failures.length).toBeGreaterThan(0);
    expect(failures[0]).toMatch(/seed \d+, powerLoss at step \d+/);
  });

  it('never splits a rename across two directories', async () => {
    await forEachSeed(
      Array.from({ length: 60 }, (_, seed) => seed),
      async (sim) => {
        const { disk } = sim.process('p');
        disk.makeDirectorySync('/a');
        disk.makeDirectorySync('/b');
        disk.syncDirectorySync('/');
        disk.replaceFileSync('/a/f', 'x');
        disk.renameSync('/a/f', '/b/f');
        if (sim.seed % 2 === 0) disk.syncDirectorySync('/b');
        sim.powerLoss();
        const after = sim.process('after').disk;
        const names = [...after.listSync('/a'), ...after.listSync('/b')];
        expect(names).toEqual(['f']);
        if (sim.seed % 2 === 0) expect(after.listSync('/b')).toEqual(['f']);
      },
    );
  });

  it('never loses what was moved out of a directory before that was removed', async () => {
    await forEachSeed(
      Array.from({ length: 60 }, (_, seed) => seed),
      async (sim) => {
        const { disk } = sim.process('p');
        disk.makeDirectorySync('/a');
        disk.makeDirectorySync('/b');
        disk.replaceFileSync('/a/f', 'x');
        disk.syncDirectorySync('/');
        disk.renameSync('/a/f', '/b/f');
        await disk.removeTree('/a');
        if (sim.seed % 2 === 0) disk.syncDirectorySync('/');
        sim.powerLoss();
        const after = sim.process('after').disk;
        const isThere = after.statSync('/a') !== undefined;
        if (sim.seed % 2 === 0) expect(isThere).toBe(false);
        expect([...(isThere ? after.listSync('/a') : []), ...after.listSync('/b')]).toEqual(['f']);
      },
    );
  });

  it('keeps a failed sync from ever being made good', async () => {
    const sim = createSimSystem({ seed: 5 });
    const { disk } = sim.process('p');
    const file = disk.openSync('/f', 'w');
    disk.syncDirectorySync('/');
    file.writeSync([Buffer.from('lost')], 0);
    const heal = sim.volume().inject(({ call }) => (call === 'sync' ? 'EIO' : undefined));
    expect(() => file.syncSync()).toThrow(/EIO/);
    heal();
    file.syncSync();
    sim.powerLoss();
    expect(sim.process('after').disk.readFileSync('/f').length).toBe(0);
  });

  it('runs full', () => {
    const sim = createSimSystem({ seed: 5 });
    sim.volume().capacityBytes = 10;
    const { disk } = sim.process('p');
    const file = disk.openSync('/f', 'w');
    file.writeSync([Buffer.alloc(8)], 0);
    expect(() => file.writeSync([Buffer.alloc(8)], 8)).toThrow(/ENOSPC/);
    expect(file.statSync().size).toBe(10);
    disk.removeSync('/f');
    expect(sim.volume().usedBytes).toBe(0);
  });

  it('gives the number of an unlinked file to the next one', () => {
    const { disk } = createSimSystem({ seed: 5 }).process('p');
    disk.openSync('/f', 'w').closeSync();
    const first = disk.statSync('/f')?.inode;
    disk.removeSync('/f');
    disk.openSync('/g', 'w').closeSync();
    expect(disk.statSync('/g')?.inode).toBe(first);
  });

  it('freezes the dead: synchronous calls throw, asynchronous ones never resolve', async () => {
    const sim = createSimSystem({ seed: 5 });
    const dead = sim.process('p');
    let heard = 0;
    dead.clock.after(1, () => heard++);
    detach(dead.disk.readFile('/none'), () => heard++);
    dead.kill();
    const replaced = dead.disk.replaceFile('/f', 'x').finally(() => heard++);
    detach(replaced, () => {});
    await sim.runUntilIdle();
    expect(heard).toBe(0);
    expect(() => dead.disk.listSync('/')).toThrow(/is dead/);
    expect(sim.process('p')).not.toBe(dead);
    expect(sim.process('p').disk.listSync('/')).toEqual([]);
  });
});

describe('virtual time', () => {
  it('runs timers in order, and as far as it is told', async () => {
    const sim = createSimSystem({ seed: 1 });
    const { clock } = sim.process('p');
    const heard: number[] = [];
    for (const delay of [30, 10, 20]) clock.after(delay, () => heard.push(clock.monotonic()));
    clock.after(15, () => heard.push(-1)).cancel();
    await sim.advance(25);
    expect(heard).toEqual([10, 20]);
    await sim.advance(25);
    expect(heard).toEqual([10, 20, 30]);
    expect(sim.now).toBe(50);
  });

  it('runs in order what is left of many that were cancelled', async () => {
    const sim = createSimSystem({ seed: 1 });
    const { clock } = sim.process('p');
    const heard: number[] = [];
    const delays = Array.from({ length: 6000 }, (_, index) => (index * 7919) % 6007);
    const timers = delays.map((delay) => clock.after(delay, () => heard.push(delay)));
    const left = delays.filter((_, index) => index % 10 === 0).sort((a, b) => a - b);
    for (const [index, timer] of timers.entries()) if (index % 10 !== 0) timer.cancel();
    for (const timer of timers) clock.after(6500, () => timer.cancel());
    await sim.advance(7000);
    expect(heard).toEqual(left);
    clock.after(1, () => heard.push(-1));
    await sim.advance(1);
    expect(heard.at(-1)).toBe(-1);
  });

  it('says so where nothing is left to happen', async () => {
    const sim = createSimSystem({ seed: 1 });
    const idle = sim.run(new Promise(() => {}), { realPatienceMs: 100 });
    await expect(idle).rejects.toThrow(/deadlock/);
    sim.process('p').clock.after(5000, () => {});
    await expect(sim.run(new Promise(() => {}), { limitMs: 10 })).rejects.toThrow(/not done/);
  });

  it('ends a sleep when its signal aborts', async () => {
    const sim = createSimSystem({ seed: 1 });
    const { clock } = sim.process('p');
    const abort = new AbortController();
    clock.after(7, () => abort.abort());
    await sim.run(clock.sleep(1000, abort.signal));
    expect(clock.monotonic()).toBe(7);
  });
});
