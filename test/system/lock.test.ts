import { describe, expect, it } from 'vitest';
import {
  awaitDirectoryLock,
  DirectoryLockError,
  lockDirectory,
  type System,
} from '../../system/index.js';
import { crashAtEveryStep, createSimSystem, type SimProcess } from '../../system/sim/index.js';

const world = () => createSimSystem({ seed: 1 });

/** A process of which nobody can tell whether it lives. */
function anonymous(process: SimProcess): System {
  const processes: System['processes'] = Object.create(process.processes, {
    pid: { value: process.processes.pid },
    identity: { value: () => undefined },
    namespace: { value: () => undefined },
  });
  return { ...process, processes };
}

describe('a locked folder', () => {
  it('is created, and refused to a second process and to the same one', () => {
    const sim = world();
    lockDirectory(sim.process('one'), '/data/agent', 'agent');
    for (const name of ['two', 'one']) {
      expect(() => lockDirectory(sim.process(name), '/data/agent', 'broker')).toThrow(
        /\/data\/agent is in use by the logflume agent with process id \d+: stop it first/,
      );
    }
  });

  it('is free once released, or once its holder was killed', () => {
    const sim = world();
    const lock = lockDirectory(sim.process('one'), '/data', 'agent');
    lock.release();
    lock.release();
    lockDirectory(sim.process('two'), '/data', 'agent');
    sim.process('two').kill();
    lockDirectory(sim.process('three'), '/data', 'agent');
    expect(() => lockDirectory(sim.process('four'), '/data', 'agent')).toThrow(DirectoryLockError);
  });

  it('goes to one of those who find a dead holder at the same moment', () => {
    const sim = world();
    lockDirectory(sim.process('dead'), '/data', 'agent');
    sim.process('dead').kill();
    const slow = sim.process('slow');
    const quick = sim.process('quick');
    // The slow one is overtaken, by two generations of others, just before it makes its lock.
    const disk = {
      ...slow.disk,
      linkSync: (from: string, to: string) => {
        lockDirectory(quick, '/data', 'agent');
        quick.kill();
        lockDirectory(sim.process('next'), '/data', 'agent');
        slow.disk.linkSync(from, to);
      },
    };
    expect(() => lockDirectory({ ...slow, disk }, '/data', 'agent')).toThrow(DirectoryLockError);
  });

  it('can be taken again wherever its holder was killed', async () => {
    await crashAtEveryStep({
      seed: 2,
      kinds: ['kill', 'torn', 'powerLoss'],
      work: async (process) => {
        lockDirectory(process, '/data', 'agent').release();
        lockDirectory(process, '/data', 'agent');
      },
      check: async (sim) => {
        sim.process('crashing').kill();
        lockDirectory(sim.process('after'), '/data', 'agent');
      },
    });
  });

  it('is kept by a heartbeat where processes have no identity', async () => {
    const sim = world();
    const holder = sim.process('holder');
    lockDirectory(anonymous(holder), '/data', 'agent');
    await sim.advance(60_000);
    const other = anonymous(sim.process('other'));
    expect(() => lockDirectory(other, '/data', 'agent')).toThrow(/if it was killed, wait 10 s/);
    holder.kill();
    await sim.advance(11_000);
    lockDirectory(other, '/data', 'agent');
  });

  it('is held against other containers, where its process id means nothing', async () => {
    const sim = world();
    const holder = sim.process('holder', { container: 'one' });
    lockDirectory(holder, '/data', 'agent');
    await sim.advance(3_600_000);
    // The same id, of another process.
    const other = sim.process('other', { container: 'two' });
    expect(other.processes.pid).toBe(holder.processes.pid);
    const attempt = sim.run(() => awaitDirectoryLock(other, '/data', 'agent'));
    await expect(attempt).rejects.toThrow(/100 of another container or machine: stop it first/);
    holder.kill();
    const start = sim.now;
    await sim.run(() => awaitDirectoryLock(other, '/data', 'agent'));
    expect(sim.now - start).toBeLessThanOrEqual(11_000);
  });

  it('is held against other containers when somebody sets the time of day', async () => {
    const sim = world();
    const holder = sim.process('holder', { container: 'one' });
    lockDirectory(holder, '/data', 'agent');
    await sim.advance(60_000);
    const other = sim.process('other', { container: 'two' });
    for (const stepMs of [3_600_000, -3_600_000]) {
      sim.stepWallClock(stepMs);
      const attempt = sim.run(() => awaitDirectoryLock(other, '/data', 'agent'));
      await expect(attempt).rejects.toThrow(/is in use/);
    }
    holder.kill();
    sim.stepWallClock(-3_600_000);
    const start = sim.now;
    await sim.run(() => awaitDirectoryLock(other, '/data', 'agent'));
    expect(sim.now - start).toBeLessThanOrEqual(11_000);
  });

  it.each(['EMFILE', 'EIO'])('is held on where the disk fails its heartbeat (%s)', async (code) => {
    const sim = world();
    const holder = sim.process('holder', { container: 'one' });
    lockDirectory(holder, '/data', 'agent');
    const failed = new Set<string>();
    const heal = sim.volume().inject(({ call, opens }) => {
      if (code === 'EMFILE' && opens !== true) return undefined;
      failed.add(call);
      return code;
    });
    await sim.advance(9_000);
    // Neither could it write, nor see whether it was followed.
    expect([...failed]).toEqual(expect.arrayContaining(['open', 'read']));
    expect(holder.problems.list()).toMatchObject([{ id: 'lock of /data' }]);
    heal();
    await sim.advance(60_000);
    expect(holder.problems.list()).toEqual([]);
    const other = sim.process('other', { container: 'two' });
    const attempt = sim.run(() => awaitDirectoryLock(other, '/data', 'agent'));
    await expect(attempt).rejects.toThrow(/is in use/);
  });

  it('is given back in silence where the disk fails, and free once its holder has ended', () => {
    const sim = world();
    const holder = sim.process('holder');
    const lock = lockDirectory(holder, '/data', 'agent');
    const heal = sim.volume().inject(({ opens }) => (opens === true ? 'EMFILE' : undefined));
    lock.release();
    heal();
    expect(holder.logLines.map(({ message }) => message)).toEqual([
      'the lock of /data could not be given back: it ends with this process',
    ]);
    holder.kill();
    lockDirectory(sim.process('next'), '/data', 'agent');
  });

  it('is free at once for another container where it was released', async () => {
    const sim = world();
    lockDirectory(sim.process('holder', { container: 'one' }), '/data', 'agent').release();
    lockDirectory(sim.process('other', { container: 'two' }), '/data', 'agent');
  });

  it('of an older version is understood: no namespace, no heartbeat', async () => {
    const sim = world();
    const old = sim.process('old');
    const { pid } = old.processes;
    const identity = old.processes.identity(pid);
    old.disk.makeDirectorySync('/data');
    old.disk.replaceFileSync(
      '/data/.lock.0000000003',
      JSON.stringify({ role: 'agent', pid, identity }),
    );
    await sim.advance(3_600_000);
    expect(() => lockDirectory(sim.process('new'), '/data', 'agent')).toThrow(DirectoryLockError);
    old.kill();
    lockDirectory(sim.process('new'), '/data', 'agent').release();
    expect(old.disk).toBeDefined();
  });

  it('ends a holder that stood still and was followed', async () => {
    const sim = world();
    const paused = sim.process('paused', { container: 'one' });
    lockDirectory(paused, '/data', 'agent');
    const other = sim.process('other', { container: 'two' });
    // Its clock stood still: for the other one eleven seconds have passed.
    const later = { ...other.clock, now: () => other.clock.now() + 11_000 };
    lockDirectory({ ...other, clock: later }, '/data', 'agent');
    await expect(sim.advance(5_000)).rejects.toThrow(/was taken over by another logflume/);
  });

  it.each(['released', 'killed'])('can be taken again and again on a full disk (%s)', (how) => {
    const sim = world();
    const first = sim.process('first');
    const lock = lockDirectory(first, '/data', 'agent');
    if (how === 'released') lock.release();
    first.kill();
    sim.volume().capacityBytes = sim.volume().usedBytes;
    for (let round = 0; round < 3; round++) {
      const next = sim.process('next');
      const held = lockDirectory(next, '/data', 'agent');
      expect(() => lockDirectory(sim.process('other'), '/data', 'agent')).toThrow(/is in use/);
      if (how === 'released') held.release();
      next.kill();
    }
  });

  it('that cannot be written is an error that says what to do', () => {
    const sim = world();
    sim.volume().inject(({ call }) => (call === 'mkdir' ? 'EACCES' : undefined));
    const attempt = () => lockDirectory(sim.process('one'), '/data', 'agent');
    expect(attempt).toThrow(/the agent cannot use its folder \/data .*make it writable/);
    expect(attempt).toThrow(expect.objectContaining({ code: 'DIRECTORY_UNUSABLE' }));
  });
});
