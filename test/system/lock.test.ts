import { describe, expect, it } from 'vitest';
import { DirectoryLockError, lockDirectory, type System } from '../../system/index.js';
import { crashAtEveryStep, createSimSystem, type SimProcess } from '../../system/sim/index.js';

const world = () => createSimSystem({ seed: 1 });

/** A process of which nobody can tell whether it lives. */
function anonymous(process: SimProcess): System {
  const processes: System['processes'] = Object.create(process.processes, {
    pid: { value: process.processes.pid },
    identity: { value: () => undefined },
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

  it('that cannot be written is an error that says what to do', () => {
    const sim = world();
    sim.volume().inject(({ call }) => (call === 'mkdir' ? 'EACCES' : undefined));
    const attempt = () => lockDirectory(sim.process('one'), '/data', 'agent');
    expect(attempt).toThrow(/the agent cannot use its folder \/data .*make it writable/);
    expect(attempt).toThrow(expect.objectContaining({ code: 'DIRECTORY_UNUSABLE' }));
  });
});
