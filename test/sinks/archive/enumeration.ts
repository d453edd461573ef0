import type { Store } from '../../../sinks/archive/stores/index.js';
import {
  type CrashKind,
  crashAtEveryStep,
  createSimSystem,
  type SimProcess,
  type Simulation,
} from '../../../system/sim/index.js';
import {
  archiveFiles,
  CHAIN,
  checkExactlyOnce,
  FakeTopic,
  finishAndCheck,
  type Implementation,
  type OwnerOptions,
  readClaims,
  startOwner,
  within,
} from './world.js';

const RECORDS = 14;
const GZIP = { format: 'lines', filePer: 'key', compression: 'gzip' } as const;
const HALF_AN_HOUR = 1_800_000;

/** One thing that may go wrong, tried at every step at which it may; throws where it harms. */
export type Enumeration = (implementation: Implementation) => Promise<number>;

function crashes(
  seed: number,
  kinds: readonly CrashKind[],
  change: (sim: Simulation, topic: FakeTopic) => OwnerOptions & { readonly name?: string },
): Enumeration {
  return (implementation) => {
    let topic = new FakeTopic();
    return crashAtEveryStep({
      seed,
      kinds,
      process: 'owner',
      async prepare() {
        topic = new FakeTopic().fill(RECORDS);
      },
      async work(process) {
        const writer = startOwner(implementation, process, topic);
        await within(process, writer.drain(topic.end));
        await writer.close();
      },
      async check(sim) {
        const options = change(sim, topic);
        await finishAndCheck(implementation, sim, topic, { name: 'owner', ...options });
      },
    });
  };
}

/** What stands between a writer and its store: called before and after each call that matters. */
function between(
  store: Store,
  before: (call: string, name: string) => Promise<void>,
  after: (call: string, name: string) => Promise<void>,
): Store {
  const around = async <T>(call: string, name: string, run: () => Promise<T>): Promise<T> => {
    await before(call, name);
    const answer = await run();
    await after(call, name);
    return answer;
  };
  return {
    stagingDirectory: store.stagingDirectory,
    createIfAbsent: (name, content) =>
      around('createIfAbsent', name, () => store.createIfAbsent(name, content)),
    publish: (path, name) => around('publish', name, () => store.publish(path, name)),
    read: (name) => around('read', name, () => store.read(name)),
    scan: (name, onSlice) => around('scan', name, () => store.scan(name, onSlice)),
    files: (directory) => around('files', directory, () => store.files(directory)),
    folders: (directory) => around('folders', directory, () => store.folders(directory)),
  };
}

/** Runs `attempt` with 1, 2, 3 … until it says that there is no such step any more. */
async function atEveryStep(attempt: (step: number) => Promise<boolean>): Promise<number> {
  for (let step = 1; ; step += 1) {
    let reached: boolean;
    try {
      reached = await attempt(step);
    } catch (error) {
      throw new Error(`at step ${step}: ${String(error)}`, { cause: error });
    }
    if (!reached) return step - 1;
  }
}

/** A writer falls asleep at its n-th call, others go on, and half an hour later it goes on too. */
const zombie: Enumeration = (implementation) =>
  atEveryStep(async (step) => {
    const sim = createSimSystem({ seed: step });
    const topic = new FakeTopic().fill(RECORDS);
    let calls = 0;
    let slept = false;
    const sleepAtStep = async (process: SimProcess) => {
      calls += 1;
      if (calls !== step) return;
      slept = true;
      await process.clock.sleep(HALF_AN_HOUR);
    };
    const sleeper = sim.process('sleeper');
    const pause = () => sleepAtStep(sleeper);
    const writer = startOwner(implementation, sleeper, topic, {
      wrap: (store) => between(store, pause, pause),
      beforeCommit: pause,
    });
    await sim.advance(5_000);
    const second = sim.process('second');
    const other = startOwner(implementation, second, topic, { rotateRecords: 4 });
    await sim.run(within(second, other.drain(topic.end)));
    topic.fill(RECORDS);
    await sim.advance(HALF_AN_HOUR + 60_000);
    await sim.run(Promise.all([writer.close(), other.close()]));
    sleeper.kill();
    second.kill();
    await sim.run(finishAndCheck(implementation, sim, topic));
    return slept;
  });

/** Two writers believe that they own the partition, and cut it differently. */
const twoOwners: Enumeration = async (implementation) => {
  const seeds = 25;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const sim = createSimSystem({ seed });
    const topic = new FakeTopic().fill(RECORDS * 2);
    const a = sim.process('a');
    const b = sim.process('b');
    const options = { settings: GZIP, rotateRecords: 4 };
    const writers = [
      startOwner(implementation, a, topic),
      startOwner(implementation, b, topic, options),
    ];
    await sim.run(within(a, Promise.all(writers.map((writer) => writer.drain(topic.end)))));
    await sim.run(Promise.all(writers.map((writer) => writer.close())));
    a.kill();
    b.kill();
    await sim.run(finishAndCheck(implementation, sim, topic));
  }
  return seeds;
};

/** The store fails at its n-th call, after having done it or before. */
function failing(when: 'before' | 'after'): Enumeration {
  return (implementation) =>
    atEveryStep(async (step) => {
      const sim = createSimSystem({ seed: step });
      const topic = new FakeTopic().fill(RECORDS);
      let calls = 0;
      const fail = async () => {
        calls += 1;
        if (calls === step) throw new Error('the answer was lost');
      };
      const pass = async () => undefined;
      const process = sim.process('owner');
      const writer = startOwner(implementation, process, topic, {
        wrap: (store) =>
          when === 'before' ? between(store, fail, pass) : between(store, pass, fail),
      });
      await sim.run(within(process, writer.drain(topic.end)));
      await sim.run(writer.close());
      process.kill();
      await sim.run(finishAndCheck(implementation, sim, topic));
      return calls >= step;
    });
}

/** After a crash the last link of a kind is empty or torn; with `isOpen` only one without done. */
function torn(keep: (bytes: number) => number, pattern: RegExp, isOpen = false): Enumeration {
  return crashes(31, ['kill'], (sim) => {
    const { disk } = sim.process('breaker');
    const names = disk.statSync(CHAIN) === undefined ? [] : disk.listSync(CHAIN);
    const last = names.filter((name) => pattern.test(name)).at(-1);
    const isBuiltOn = last !== undefined && names.includes(last.replace('.json', '.done'));
    if (last === undefined || (isOpen && isBuiltOn)) return {};
    const path = `${CHAIN}/${last}`;
    const file = disk.openSync(path, 'r+');
    file.truncateSync(keep(disk.readFileSync(path).length));
    file.closeSync();
    return { rotateRecords: 4 };
  });
}

/** After a crash a byte of the spool is another one. */
const damagedSpool = crashes(41, ['kill'], (sim) => {
  const { disk } = sim.process('breaker');
  const directory = '/data/owner/spool/abcdefghijklmnopqrstuv';
  if (disk.statSync(directory) === undefined) return {};
  for (const name of disk.listSync(directory)) {
    const content = disk.readFileSync(`${directory}/${name}`);
    const at = content.lastIndexOf('record');
    if (at < 0) continue;
    const file = disk.openSync(`${directory}/${name}`, 'r+');
    file.writeSync([Buffer.from('R')], at);
    file.closeSync();
  }
  return {};
});

/** Whatever was claimed or spooled when the owner died is all that is left of it in the topic. */
const retentionAfterKill = crashes(51, ['kill'], (sim, topic) => {
  const process = sim.process('reader');
  if (process.disk.statSync(CHAIN) === undefined) return {};
  const last = readClaims(process).at(-1);
  // The claim is finished from the surviving spool.
  if (last !== undefined) topic.removeBefore(last.end + 1);
  return {};
});

/** The owner dies, retention passes what it had claimed, and its spool is lost with its machine. */
const retentionPassed: Enumeration = (implementation) => {
  let topic = new FakeTopic();
  return crashAtEveryStep({
    seed: 61,
    kinds: ['kill'],
    process: 'owner',
    async prepare() {
      topic = new FakeTopic().fill(RECORDS);
    },
    async work(process) {
      const writer = startOwner(implementation, process, topic);
      await within(process, writer.drain(topic.end));
      await writer.close();
    },
    async check(sim) {
      const reader = sim.process('reader');
      const before = archiveFiles(reader);
      const hasChain = reader.disk.statSync(`${CHAIN}/genesis.json`) !== undefined;
      const claims = hasChain ? readClaims(reader) : [];
      const last = claims.at(-1);
      const isDone =
        last === undefined ||
        reader.disk.statSync(`${CHAIN}/${String(last.start).padStart(20, '0')}.done`);
      const wasComplete = last?.files.every(({ name }) => before.has(name)) ?? true;
      topic.removeBefore(Math.min((last?.end ?? -1) + 4, topic.end));
      const heir = sim.process('heir');
      const writer = startOwner(implementation, heir, topic);
      await heir.clock.sleep(20_000);
      const isBlocked = writer.status.blocked !== undefined;
      await writer.close();
      heir.kill();
      const isGone = topic.start > (last?.end ?? -1) + 1 || !(isDone || wasComplete);
      const mustAlarm = hasChain && isGone;
      if (mustAlarm && !isBlocked) throw new Error('retention passed, and nobody was told');
      const process = sim.process('acceptor');
      const accepting = startOwner(implementation, process, topic, { acceptGap: true });
      await within(process, accepting.drain(topic.end));
      await accepting.close();
      const held = new Set(
        [...archiveFiles(process).values()].flatMap((file) =>
          [...file.toString().matchAll(/record (\d+)\n/g)].map((match) => Number(match[1])),
        ),
      );
      const mustHold = topic.records.filter(
        ({ offset }) =>
          offset >= topic.start || ((isDone || wasComplete) && offset <= (last?.end ?? -1)),
      );
      for (const { offset } of mustHold) {
        if (!held.has(offset)) throw new Error(`record ${offset} is lost`);
      }
      checkExactlyOnce(
        process,
        topic.records.filter(({ offset }) => held.has(offset)),
      );
    },
  });
};

/** Everything that may go wrong, by name. */
export const enumerations: Readonly<Record<string, Enumeration>> = {
  'two owners at once': twoOwners,
  'a crash at any step': crashes(1, ['kill', 'torn'], () => ({})),
  'a power cut at any step': crashes(2, ['powerLoss'], () => ({})),
  'a crash, and another machine takes over': crashes(3, ['kill'], () => ({
    name: 'heir',
    rotateRecords: 4,
  })),
  'a crash, and other settings': crashes(4, ['kill'], () => ({
    settings: GZIP,
    rotateRecords: 100,
  })),
  'a lost answer at any step': failing('after'),
  'a refused call at any step': failing('before'),
  'a zombie that wakes up half an hour later': zombie,
  'an empty claim': torn(() => 0, /^\d{20}\.json$/, true),
  'a torn claim': torn((bytes) => bytes >> 1, /^\d{20}\.json$/, true),
  'an empty done': torn(() => 0, /^\d{20}\.done$/),
  'a torn genesis': torn(() => 3, /^genesis\.json$/),
  'a damaged spool': damagedSpool,
  'retention behind the claim, spool alive': retentionAfterKill,
  'retention passed the claim, spool lost': retentionPassed,
};
