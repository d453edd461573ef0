import type { Store } from '../../../sinks/archive/stores/index.js';
import {
  type CrashKind,
  crashAtEveryStep,
  createSimSystem,
  type SimProcess,
  type Simulation,
} from '../../../system/sim/index.js';
import { FakeTopic } from '../fake-topic.js';
import {
  archiveFiles,
  CHAIN,
  checkExactlyOnce,
  finishAndCheck,
  type Implementation,
  type OwnerOptions,
  readClaims,
  startOwner,
  within,
} from './world.js';

const RECORDS = 9;
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
    const other = startOwner(implementation, second, topic, { rotateRecords: 3 });
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
  const seeds = 15;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const sim = createSimSystem({ seed });
    const topic = new FakeTopic().fill(RECORDS * 2);
    const a = sim.process('a');
    const b = sim.process('b');
    const options = { settings: GZIP, rotateRecords: 3 };
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

/** After a crash the first link of a kind is torn; with `isOpen` the last, if it has no done. */
function torn(keep: (bytes: number) => number, pattern: RegExp, isOpen = false): Enumeration {
  return crashes(31, ['kill'], (sim) => {
    const { disk } = sim.process('breaker');
    const names = disk.statSync(CHAIN) === undefined ? [] : disk.listSync(CHAIN);
    const found = names.filter((name) => pattern.test(name));
    const last = isOpen ? found.at(-1) : found[0];
    const isBuiltOn = last !== undefined && names.includes(last.replace('.json', '.done'));
    if (last === undefined || (isOpen && isBuiltOn)) return {};
    const path = `${CHAIN}/${last}`;
    const file = disk.openSync(path, 'r+');
    file.truncateSync(keep(disk.readFileSync(path).length));
    file.closeSync();
    return { rotateRecords: 3, name: 'heir' };
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

/** The topic lost its end and got another one, while an old spool waited for its owner. */
const rewrittenTopic: Enumeration = (implementation) => {
  let topic = new FakeTopic();
  return crashAtEveryStep({
    seed: 71,
    kinds: ['kill'],
    process: 'crashing',
    async prepare(sim) {
      topic = new FakeTopic().fill(RECORDS);
      const before = new FakeTopic().fill(3);
      for (const record of before.records) Object.assign(record, { value: 'no longer there' });
      const owner = sim.process('owner');
      const writer = startOwner(implementation, owner, before);
      await owner.clock.sleep(1_000);
      await writer.close();
      owner.kill();
    },
    async work(process) {
      const writer = startOwner(implementation, process, topic);
      await within(process, writer.drain(topic.end));
      await writer.close();
    },
    async check(sim) {
      const reader = sim.process('reader');
      const isClaimed = reader.disk.statSync(`${CHAIN}/${'0'.repeat(20)}.json`) !== undefined;
      const name = isClaimed ? 'owner' : 'heir';
      await finishAndCheck(implementation, sim, topic, { name });
    },
  });
};

/** The one who won dies, retention passes, and only the other one's longer spool has the records. */
const spoolOfTheLoser: Enumeration = (implementation) => {
  let topic = new FakeTopic();
  let loser: ReturnType<typeof startOwner> | undefined;
  return crashAtEveryStep({
    seed: 81,
    kinds: ['kill'],
    process: 'winner',
    async prepare(sim) {
      topic = new FakeTopic().fill(RECORDS);
      const process = sim.process('loser');
      loser = startOwner(implementation, process, topic, { rotateRecords: 100 });
      await process.clock.sleep(2_000);
    },
    async work(process) {
      const writer = startOwner(implementation, process, topic, { rotateRecords: 3 });
      await within(process, writer.drain(topic.end));
      await writer.close();
    },
    async check(sim) {
      const process = sim.process('loser');
      const [claim] = readClaims(process);
      topic.removeBefore(Math.min(topic.end, (claim?.end ?? -1) + 1));
      await within(process, loser?.drain(topic.end) ?? Promise.resolve());
      await loser?.close();
      process.kill();
      await finishAndCheck(implementation, sim, topic);
    },
  });
};

/** The store says that it has published a file, and has not. */
const forgetfulStore: Enumeration = (implementation) =>
  atEveryStep(async (step) => {
    const sim = createSimSystem({ seed: step });
    const topic = new FakeTopic().fill(RECORDS);
    let published = 0;
    const process = sim.process('owner');
    const writer = startOwner(implementation, process, topic, {
      wrap: (store) => ({
        ...between(store, pass, pass),
        async publish(path, name) {
          published += 1;
          return published === step ? true : store.publish(path, name);
        },
      }),
    });
    await sim.run(within(process, writer.drain(topic.end)));
    await sim.run(writer.close());
    process.kill();
    await sim.run(finishAndCheck(implementation, sim, topic));
    return published >= step;
  });

const pass = async (): Promise<void> => undefined;

/** Retention passes exactly what is complete in the archive: nobody needs to be told. */
const nothingLost: Enumeration = (implementation) =>
  crashes(91, ['kill'], (sim, topic) => {
    const process = sim.process('reader');
    const files = archiveFiles(process);
    const claims = readClaims(process);
    const last = claims.filter((claim) => claim.files.every(({ name }) => files.has(name))).at(-1);
    if (last !== undefined) topic.removeBefore(last.end + 1);
    // On another machine: there is no spool.
    return { name: 'heir' };
  })(implementation);

/** A person has moved files of the archive away: what is done is not made again. */
const movedFiles: Enumeration = (implementation) => {
  let topic = new FakeTopic();
  return crashAtEveryStep({
    seed: 101,
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
      const process = sim.process('heir');
      const { disk } = process;
      const claims = readClaims(process);
      const isDone = (start: number) =>
        disk.statSync(`${CHAIN}/${String(start).padStart(20, '0')}.done`) !== undefined;
      const done = claims.filter(({ start }) => isDone(start));
      for (const { name } of done.flatMap(({ files }) => files))
        disk.removeSync(`/archive/${name}`);
      const from = (done.at(-1)?.end ?? -1) + 1;
      topic.removeBefore(Math.min(from, topic.end));
      const expected = topic.records.filter(({ offset }) => offset >= from);
      await finishAndCheck(implementation, sim, topic, { name: 'heir', expected });
    },
  });
};

/** Retention passes beyond a spool that is half full, and a person accepts what is lost. */
const gapBehindSpool: Enumeration = (implementation) => {
  let topic = new FakeTopic();
  return crashAtEveryStep({
    seed: 111,
    kinds: ['kill'],
    process: 'owner',
    async prepare(sim) {
      topic = new FakeTopic().fill(3);
      const process = sim.process('owner');
      const writer = startOwner(implementation, process, topic);
      await process.clock.sleep(2_000);
      await writer.close();
      process.kill();
      topic.fill(RECORDS);
      topic.removeBefore(6);
    },
    async work(process) {
      const writer = startOwner(implementation, process, topic, { acceptGap: true });
      await within(process, writer.drain(topic.end));
      await writer.close();
    },
    async check(sim) {
      const expected = topic.records.filter(({ offset }) => offset < 3 || offset >= 6);
      const options = { name: 'owner', acceptGap: true, expected };
      await finishAndCheck(implementation, sim, topic, options);
    },
  });
};

/** A claim in the middle of the chain was removed: nothing may be claimed again in its place. */
const removedClaim: Enumeration = async (implementation) => {
  for (const isDoneThere of [true, false]) {
    const sim = createSimSystem({ seed: 121 });
    const topic = new FakeTopic().fill(RECORDS * 2);
    await sim.run(finishAndCheck(implementation, sim, topic));
    const process = sim.process('breaker');
    const [first, second] = readClaims(process);
    const path = (start?: number) => `${CHAIN}/${String(start).padStart(20, '0')}`;
    process.disk.removeSync(`${path(first?.start)}.done`);
    process.disk.removeSync(`${path(second?.start)}.json`);
    if (!isDoneThere) process.disk.removeSync(`${path(second?.start)}.done`);
    const heir = sim.process('heir');
    const writer = startOwner(implementation, heir, topic, { rotateRecords: 3 });
    await sim.advance(60_000);
    await sim.run(writer.close());
    const isSaid = heir.logLines.some(({ message }) => message.includes('claim file was removed'));
    if (!isSaid) throw new Error('nobody was told that a claim is missing');
    // Its `done` tells for as long as it is there.
    if (isDoneThere && writer.status.blocked === undefined) throw new Error('it went on');
    checkExactlyOnce(heir, topic.records);
  }
  return 22;
};

/** A topic is created anew under its name: another chain, and none of the old one's offsets. */
const recreatedTopic: Enumeration = (implementation) => {
  let topic = new FakeTopic();
  return crashAtEveryStep({
    seed: 131,
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
      await finishAndCheck(implementation, sim, topic, { name: 'owner' });
      const second = new FakeTopic();
      second.end = 100;
      second.start = 100;
      second.fill(RECORDS);
      second.start = 0;
      second.committed = topic.committed;
      const process = sim.process('again');
      const topicId = 'zyxwvutsrqponmlkjihgfe';
      const writer = startOwner(implementation, process, second, { topicId });
      await within(process, writer.drain(second.end));
      await writer.close();
      checkExactlyOnce(process, [...topic.records, ...second.records]);
    },
  });
};

/** Retention overtakes a writer that is reading: what is missing then is a gap somebody accepted. */
const retentionWhileReading: Enumeration = async (implementation) => {
  const moments = 20;
  for (let moment = 1; moment <= moments; moment += 1) {
    const sim = createSimSystem({ seed: 200 + moment });
    const topic = new FakeTopic().fill(RECORDS);
    const process = sim.process('owner');
    const writer = startOwner(implementation, process, topic);
    // From when it has decided where the chain begins.
    await sim.advance(12 + moment * 4);
    topic.fill(RECORDS);
    topic.removeBefore(Math.min(writer.status.readTo + 2, topic.end));
    await sim.advance(5_000);
    await sim.run(writer.close());
    process.kill();
    const heir = sim.process('owner');
    const accepting = startOwner(implementation, heir, topic, { acceptGap: true });
    await sim.run(within(heir, accepting.drain(topic.end)));
    await sim.run(accepting.close());
    const gaps = readClaims(heir).filter(({ kind }) => kind === 'gap');
    const isGivenUp = (offset: number) =>
      gaps.some(({ start, end }) => offset >= start && offset <= end);
    checkExactlyOnce(
      heir,
      topic.records.filter(({ offset }) => !isGivenUp(offset)),
    );
  }
  return moments;
};

/** Everything that may go wrong, by name. */
export const enumerations: Readonly<Record<string, Enumeration>> = {
  'two owners at once': twoOwners,
  'a crash at any step': crashes(1, ['kill', 'torn'], () => ({})),
  'a power cut at any step': crashes(2, ['powerLoss'], () => ({})),
  'a crash, and another machine takes over': crashes(3, ['kill'], () => ({
    name: 'heir',
    rotateRecords: 3,
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
  'retention behind a winner that died': spoolOfTheLoser,
  'retention behind a complete claim': nothingLost,
  'retention beyond a spool, accepted': gapBehindSpool,
  'retention beyond a writer that reads': retentionWhileReading,
  'a topic rewritten behind a spool': rewrittenTopic,
  'a topic created anew': recreatedTopic,
  'a store that forgets a file': forgetfulStore,
  'files that were moved away': movedFiles,
  'a claim that was removed': removedClaim,
  'retention passed the claim, spool lost': retentionPassed,
};
