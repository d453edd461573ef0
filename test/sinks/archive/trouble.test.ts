import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LiveFiles } from '../../../sinks/archive/live-encoder.js';
import { PartitionWriter } from '../../../sinks/archive/partition-writer.js';
import { LocalStore } from '../../../sinks/archive/stores/index.js';
import { verifyArchive } from '../../../sinks/archive/verify.js';
import { createSimSystem, type SimProcess } from '../../../system/sim/index.js';
import { rounds } from '../../rounds.js';
import { FakeTopic } from '../fake-topic.js';
import { archiveFiles, checkExactlyOnce, startOwner, within } from './world.js';

const ours = { PartitionWriter, LocalStore, LiveFiles };
const HOUR = 3_600_000;

function isOf(code: string, call: string): boolean {
  if (code === 'ENOSPC') return call !== 'read' && call !== 'remove';
  return code !== 'EMFILE' || call === 'open';
}

/** Nothing is committed that is not in place, whatever failed meanwhile. */
function checkCommitted(process: SimProcess, topic: FakeTopic): void {
  const { committed = 0 } = topic;
  const files = [...archiveFiles(process).values()].map(String).join('');
  for (const { offset } of topic.records) {
    if (offset < committed && !files.includes(`record ${offset}\n`)) {
      throw new Error(`${committed} is committed, record ${offset} is not in place`);
    }
  }
}

describe('a directory of the archive that is taken away', () => {
  it.each(['hour', 'dt', 'topic', '_tmp'])('%s: is made again', async (what) => {
    const sim = createSimSystem({ seed: 1 });
    const topic = new FakeTopic().fill(8);
    const process = sim.process('owner');
    const writer = startOwner(ours, process, topic);
    await sim.run(within(process, writer.drain(topic.end)));
    const moved = sim.process('person');
    for (const name of archiveFiles(moved).keys()) {
      const hour = dirname(`/archive/${name}`);
      const paths = { hour, dt: dirname(hour), topic: '/archive/logs', _tmp: '/archive/_tmp' };
      await sim.run(moved.disk.removeTree(paths[what as keyof typeof paths]));
    }
    const from = topic.end;
    const before = topic.records.length;
    topic.fill(8);
    await sim.run(within(process, writer.drain(topic.end)));
    const expected = what === '_tmp' ? topic.records : topic.records.slice(before);
    checkExactlyOnce(
      process,
      expected.filter(({ offset }) => what === '_tmp' || offset >= from),
    );
    // What was being built there is read again, and that is said.
    const said = process.logLines.filter(({ level }) => level !== 'info');
    expect(said).toHaveLength(what === '_tmp' ? 1 : 0);
    await sim.run(writer.close());
  });
});

describe('a wall clock that is set', () => {
  async function cutAfter(age: 'ageMs' | 'idleMs', stepMs: number, isRestarted: boolean) {
    const sim = createSimSystem({ seed: 2 });
    const topic = new FakeTopic().fill(3);
    let process = sim.process('owner');
    const options = { rotateRecords: 1_000, ageMs: HOUR * 9, [age]: 60_000 };
    let writer = startOwner(ours, process, topic, options);
    await sim.advance(30_000);
    sim.stepWallClock(stepMs);
    if (isRestarted) {
      await sim.run(writer.close());
      process.kill();
      process = sim.process('owner');
      writer = startOwner(ours, process, topic, options);
    }
    while (archiveFiles(process).size === 0 && sim.now < 2 * HOUR) await sim.advance(1_000);
    const cutAt = sim.now;
    await sim.run(writer.close());
    return cutAt;
  }

  it.each(['ageMs', 'idleMs'] as const)('does not change when %s cuts', async (age) => {
    for (const stepMs of [-HOUR, HOUR]) {
      const cutAt = await cutAfter(age, stepMs, false);
      expect(cutAt).toBeGreaterThan(59_000);
      expect(cutAt).toBeLessThan(63_000);
    }
  });

  it('holds nothing longer than once more over a restart', async () => {
    expect(await cutAfter('ageMs', -HOUR, true)).toBeLessThan(93_000);
    expect(await cutAfter('ageMs', HOUR, true)).toBeLessThan(63_000);
    expect(await cutAfter('ageMs', 0, true)).toBeLessThan(63_000);
  });

  it('does not hold back a retry', async () => {
    const sim = createSimSystem({ seed: 3 });
    const topic = new FakeTopic().fill(8);
    const process = sim.process('owner');
    const heal = sim.volume().inject(({ path }) => (path.includes('_claims') ? 'EIO' : undefined));
    const writer = startOwner(ours, process, topic);
    await sim.advance(20_000);
    const [problem] = process.problems.list();
    expect(problem?.id).toBe('sink archive, topic logs, partition 0');
    expect(problem?.text).toContain('archiving failed, trying again: EIO');
    sim.stepWallClock(-HOUR);
    heal();
    await sim.advance(31_000);
    expect(process.problems.list()).toEqual([]);
    await sim.run(within(process, writer.drain(topic.end)));
    checkExactlyOnce(process, topic.records);
    await sim.run(writer.close());
  });
});

describe('disk faults at every call of the archive', () => {
  type Fault = readonly [code: string, first: number, length: number];

  /** The disk fails with each `code` from its n-th call on, `length` calls long. */
  async function withFaults(...faults: readonly Fault[]): Promise<number> {
    const sim = createSimSystem({ seed: faults.reduce((sum, [, first]) => sum + first, 0) });
    const topic = new FakeTopic().fill(9);
    const owner = sim.process('owner');
    const reader = sim.process('reader');
    let calls = 0;
    sim.volume().inject(({ process: caller, call }) => {
      if (caller !== 'owner') return undefined;
      const fitting = faults.filter(([code]) => isOf(code, call));
      if (fitting.length === 0) return undefined;
      calls += 1;
      return fitting.find(([, first, length]) => calls >= first && calls < first + length)?.[0];
    });
    const beforeCommit = async () => checkCommitted(reader, topic);
    const writer = startOwner(ours, owner, topic, { beforeCommit });
    await sim.run(writer.drain(topic.end), { limitMs: 120_000 });
    checkExactlyOnce(reader, topic.records);
    checkCommitted(reader, topic);
    if (topic.committed !== topic.end) throw new Error(`committed is ${topic.committed}`);
    await sim.run(writer.close());
    const report = await sim.run(verifyArchive(new LocalStore(reader, '/archive', 'reader')));
    if (report.problems.length > 0) throw new Error(JSON.stringify(report.problems));
    return calls;
  }

  it('two of them, at any two calls', async () => {
    const codes = ['EIO', 'ENOSPC', 'EMFILE'];
    const calls = await withFaults(['EIO', 100_000, 1]);
    for (let seed = 1; seed <= 60 * rounds; seed += 1) {
      const { random } = createSimSystem({ seed }).process('chance');
      const below = (limit: number) => Math.floor(random.float() * limit);
      const fault = (): Fault => [codes[below(3)] ?? 'EIO', 1 + below(calls), 1 + below(4)];
      const faults = [fault(), fault()];
      try {
        await withFaults(...faults);
      } catch (error) {
        throw new Error(`seed ${seed}, ${faults.join(' and ')}: ${error}`, { cause: error });
      }
    }
  });

  it.each(['EIO', 'ENOSPC', 'EMFILE'])('%s: everything is there once it is over', async (code) => {
    for (const [length, every] of [
      [1, 1],
      [3, rounds > 1 ? 1 : 7],
    ] as const) {
      const calls = await withFaults([code, 100_000, length]);
      expect(calls).toBeGreaterThan(10);
      for (let first = 1; first <= calls; first += every) {
        try {
          await withFaults([code, first, length]);
        } catch (error) {
          throw new Error(`${code}, ${length} from call ${first} on: ${error}`, { cause: error });
        }
      }
    }
  });
});

describe('a full disk below the archive', () => {
  it('is not filled further by what is tried again', async () => {
    const sim = createSimSystem({ seed: 5 });
    const topic = new FakeTopic().fill(9);
    const process = sim.process('owner');
    const heal = sim.volume().inject(({ call, path }) => {
      return call === 'write' && path.includes('/archive/_tmp') ? 'ENOSPC' : undefined;
    });
    const writer = startOwner(ours, process, topic);
    await sim.advance(600_000);
    const left = process.disk.listSync('/archive/_tmp/owner');
    expect(left.filter((name) => name.endsWith('.new'))).toEqual([]);
    heal();
    await sim.run(writer.drain(topic.end));
    checkExactlyOnce(process, topic.records);
    await sim.run(writer.close());
  });
});
