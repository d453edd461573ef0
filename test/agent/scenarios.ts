import { gzipSync } from 'node:zlib';
import { createSimSystem } from '../../system/sim/index.js';
import type { FakeProducerOptions } from './fake-producer.js';
import { type AgentParts, FileWorld, lines, originals, type Writer } from './file-world.js';

/** What a scenario may do to the world. */
export interface Stage {
  readonly world: FileWorld;
  readonly writer: Writer;
  pause(ms: number): Promise<void>;
  /** The agent is down meanwhile. */
  down(work: () => Promise<void> | void): Promise<void>;
}

/** Something that happens to files, and what a key's archive must hold in the end. */
export interface Scenario {
  readonly options?: Record<string, unknown>;
  readonly producer?: FakeProducerOptions;
  /** The last moment at which the agent may be killed as well; 0: never. */
  readonly killUntilMs: number;
  /** Its batches overtake one another, so its lines do too, and more is in flight. */
  readonly anyOrder?: boolean;
  /** Records that are no whole lines; default 0. */
  readonly partials?: number;
  play(stage: Stage): Promise<Readonly<Record<string, string>>>;
}

const a = '/log/a.log';
const all = { include: ['/log/*.log*'] };
const old = lines('old', 60);
const banner = `# ${'a banner that every file begins with '.repeat(40)}\n`;
const same = (count: number): string => 'the same line again\n'.repeat(count);

/** Each kind of rotation and each trap, by name. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  growth: {
    killUntilMs: 1200,
    play: async ({ writer, pause }) => {
      for (const name of ['one', 'two', 'three']) {
        writer.append(a, lines(name, 50));
        await pause(400);
      }
      return { [a]: lines('one', 50) + lines('two', 50) + lines('three', 50) };
    },
  },
  'a restart long after the last line': {
    killUntilMs: 0,
    play: async ({ writer, pause, down }) => {
      writer.append(a, old);
      await pause(2500);
      writer.append(a, lines('new', 10));
      await pause(4000);
      await down(() => {});
      return { [a]: old + lines('new', 10) };
    },
  },
  'small files that grow': {
    killUntilMs: 3000,
    play: async ({ writer, pause, down }) => {
      writer.append(a, 'one\n');
      await pause(1500);
      await down(() => writer.append(a, 'two\n'));
      await pause(1500);
      return { [a]: 'one\ntwo\n' };
    },
  },
  'a line that is finished later': {
    killUntilMs: 3000,
    play: async ({ writer, pause }) => {
      writer.append(a, 'begun');
      await pause(2000);
      writer.append(a, ' and done\n');
      return { [a]: 'begun and done\n' };
    },
  },
  'a line that is never finished': {
    killUntilMs: 0,
    partials: 1,
    play: async ({ writer, pause }) => {
      writer.append(a, 'done\nbegun');
      await pause(1000);
      writer.truncate(a);
      await pause(200);
      writer.append(a, 'next\n');
      return { [a]: 'done\nbegunnext\n' };
    },
  },
  'rename of a file with an unfinished line': {
    killUntilMs: 0,
    partials: 1,
    play: async ({ writer, pause }) => {
      writer.append(a, 'done\nbegun');
      await pause(1000);
      writer.disk.renameSync(a, `${a}.1`);
      writer.append(a, 'next\n');
      return { [a]: 'done\nbegunnext\n' };
    },
  },
  'rename and creation': {
    killUntilMs: 3000,
    play: async ({ writer, pause }) => {
      writer.append(a, old);
      await pause(1000);
      writer.append(a, lines('late', 40));
      writer.disk.renameSync(a, `${a}.1`);
      writer.append(a, lines('new', 40));
      await pause(2000);
      return { [a]: old + lines('late', 40) + lines('new', 40) };
    },
  },
  'rename and creation with the same beginning': {
    options: all,
    killUntilMs: 3000,
    play: async ({ writer, pause }) => {
      writer.append(a, banner + old);
      await pause(1000);
      writer.disk.renameSync(a, `${a}.1`);
      writer.append(a, banner);
      await pause(100);
      writer.append(a, lines('new', 10));
      await pause(2000);
      return { [a]: banner + old + banner + lines('new', 10) };
    },
  },
  'a rename while the agent is down': {
    killUntilMs: 0,
    play: async ({ writer, pause, down }) => {
      writer.append(a, old);
      await pause(1500);
      await down(() => {
        writer.append(a, lines('late', 5));
        writer.disk.renameSync(a, `${a}.1`);
        writer.append(a, lines('new', 5));
      });
      return { [a]: old + lines('late', 5) + lines('new', 5) };
    },
  },
  'two rotations while the agent is down': {
    // Nothing was sent of the first by then.
    producer: { latencyMs: 2_000 },
    killUntilMs: 0,
    play: async ({ writer, pause, down }) => {
      writer.append(a, old);
      await pause(1500);
      await down(async () => {
        await pause(50);
        writer.disk.renameSync(a, `${a}.1`);
        writer.append(a, lines('between', 5));
        await pause(50);
        writer.disk.renameSync(`${a}.1`, `${a}.2`);
        writer.disk.renameSync(a, `${a}.1`);
        writer.append(a, lines('new', 5));
      });
      return { [a]: old + lines('between', 5) + lines('new', 5) };
    },
  },
  'a short file that comes and goes unseen while its elder is deleted': {
    killUntilMs: 0,
    play: async ({ writer, pause, down }) => {
      writer.append(a, old);
      await pause(1500);
      await down(async () => {
        writer.disk.renameSync(a, `${a}.1`);
        writer.append(a, lines('between', 5));
        await pause(50);
        writer.disk.removeSync(`${a}.1`);
        writer.disk.renameSync(a, `${a}.1`);
        writer.append(a, lines('new', 5));
      });
      return { [a]: old + lines('between', 5) + lines('new', 5) };
    },
  },
  'a short copy of a file that had grown before it was first seen': {
    killUntilMs: 0,
    play: async ({ writer, pause }) => {
      writer.append(a, '');
      await pause(1500);
      writer.append(a, lines('old', 5));
      writer.copy(a, `${a}.1`);
      writer.append(a, lines('more', 5));
      await pause(1500);
      writer.truncate(a);
      await pause(1500);
      writer.append(a, lines('new', 5));
      return { [a]: lines('old', 5) + lines('more', 5) + lines('new', 5) };
    },
  },
  'copy and truncation': {
    options: all,
    killUntilMs: 3000,
    play: async ({ writer, pause }) => {
      writer.append(a, old);
      await pause(1200);
      writer.copy(a, `${a}.1`);
      await pause(300);
      writer.truncate(a);
      writer.append(a, lines('new', 10));
      await pause(2000);
      return { [a]: old + lines('new', 10) };
    },
  },
  'copy and truncation with lines unread': {
    killUntilMs: 3000,
    play: async ({ writer, pause }) => {
      writer.append(a, old);
      await pause(1200);
      writer.append(a, lines('late', 20));
      writer.copy(a, `${a}.1`);
      writer.truncate(a);
      writer.append(a, lines('new', 100));
      await pause(2000);
      return { [a]: old + lines('late', 20) + lines('new', 100) };
    },
  },
  'copy, more lines, then truncation': {
    options: all,
    killUntilMs: 0,
    play: async ({ writer, pause }) => {
      writer.append(a, old);
      await pause(1200);
      writer.copy(a, `${a}.1`);
      await pause(5);
      writer.append(a, lines('between', 3));
      await pause(300);
      writer.truncate(a);
      writer.append(a, lines('new', 10));
      await pause(6000);
      return { [a]: old + lines('between', 3) + lines('new', 10) };
    },
  },
  'a copy, a long pause, then truncation': {
    options: all,
    killUntilMs: 0,
    play: async ({ writer, pause }) => {
      writer.append(a, old);
      await pause(1200);
      writer.copy(a, `${a}.1`);
      await pause(9_000);
      writer.truncate(a);
      writer.append(a, lines('new', 10));
      await pause(2000);
      return { [a]: old + lines('new', 10) };
    },
  },
  'a stranger with the same first KiB beside a truncation': {
    options: all,
    killUntilMs: 0,
    play: async ({ writer, pause }) => {
      writer.append(a, banner + lines('one', 5));
      await pause(500);
      writer.append(a, lines('two', 5));
      await pause(500);
      writer.append(a, lines('three', 50));
      await pause(500);
      writer.append(`${a}.1`, banner + lines('other', 20));
      writer.truncate(a);
      await pause(500);
      writer.append(a, lines('new', 5));
      const before = banner + lines('one', 5) + lines('two', 5) + lines('three', 50);
      return { [a]: before + banner + lines('other', 20) + lines('new', 5) };
    },
  },
  'a copy of a file that lives on': {
    options: all,
    killUntilMs: 0,
    play: async ({ writer, pause }) => {
      writer.append(a, old + old);
      await pause(1000);
      writer.copy(a, '/log/b.log');
      await pause(300);
      for (let i = 0; i < 8; i++) {
        writer.append(a, lines('new', 5, i * 5));
        await pause(1000);
      }
      return { [a]: old + old + lines('new', 40), '/log/b.log': old + old };
    },
  },
  'a copy that is found before its original': {
    options: all,
    killUntilMs: 0,
    play: async ({ writer, pause, down }) => {
      writer.append(a, old + old);
      await pause(1500);
      await down(async () => {
        writer.copy(a, `${a}.1`);
        await pause(50);
        writer.append(a, lines('new', 5));
      });
      await pause(500);
      writer.truncate(a);
      await pause(500);
      writer.append(a, lines('newer', 5));
      await pause(2000);
      return { [a]: old + old + lines('new', 5) + lines('newer', 5) };
    },
  },
  'a copy of a file that has lost its name and is not read up': {
    options: all,
    producer: { capacity: 3, lingerMs: 1, latencyMs: 300 },
    killUntilMs: 0,
    play: async ({ writer, pause }) => {
      const file = writer.disk.openSync(a, 'a+');
      file.writeSync([Buffer.from(old)], 0);
      await pause(1500);
      writer.copy(a, `${a}.1`);
      writer.disk.removeSync(a);
      await pause(2500);
      file.writeSync([Buffer.from(lines('new', 5))], old.length);
      file.closeSync();
      return { [a]: old + lines('new', 5) };
    },
  },
  'copy and truncation while a look goes on': {
    options: all,
    killUntilMs: 0,
    play: async ({ world, writer, pause, down }) => {
      writer.append(a, old);
      await pause(1500);
      writer.copy(a, `${a}.2`);
      await pause(50);
      writer.truncate(a);
      await pause(50);
      await down(async () => {
        writer.append(a, lines('new', 60));
        await pause(50);
        // All names are known to the look by now.
        world.beforeCall = (call, path) => {
          if (call !== 'openSync' || path !== a) return;
          world.beforeCall = undefined;
          writer.copy(a, `${a}.1`);
          writer.truncate(a);
          writer.append(a, lines('newer', 60));
        };
      });
      return { [a]: old + lines('new', 60) + lines('newer', 60) };
    },
  },
  'truncation, rename and creation while the producer is full': {
    options: all,
    producer: { capacity: 3, lingerMs: 1, latencyMs: 700 },
    killUntilMs: 0,
    play: async ({ writer, pause }) => {
      writer.append(a, 'first line\n');
      await pause(2500);
      writer.append('/log/b.log', lines('b', 12));
      await pause(200);
      writer.truncate(a);
      writer.append(a, 'second line\n');
      await pause(2);
      writer.disk.renameSync(a, `${a}.2`);
      await pause(2);
      writer.append(a, 'third line\n');
      return { [a]: 'first line\nsecond line\nthird line\n', '/log/b.log': lines('b', 12) };
    },
  },
  'truncation and more than before': {
    killUntilMs: 4000,
    play: async ({ writer, pause }) => {
      writer.append(a, old);
      await pause(2500);
      writer.truncate(a);
      writer.append(a, lines('new', 100));
      await pause(2000);
      return { [a]: old + lines('new', 100) };
    },
  },
  'truncation, then the same as before and more': {
    killUntilMs: 0,
    play: async ({ writer, pause }) => {
      writer.append(a, same(100));
      await pause(1500);
      writer.truncate(a);
      await pause(1500);
      writer.append(a, same(150));
      return { [a]: same(250) };
    },
  },
  'truncation of a file that is not read up, with equal lines': {
    producer: { capacity: 20, lingerMs: 5, latencyMs: 250 },
    killUntilMs: 0,
    play: async ({ writer, pause }) => {
      writer.append(a, same(200));
      // 20 lines in half a second: some 40 are read by then.
      await pause(1100);
      const read = 60;
      writer.truncate(a);
      writer.append(a, same(100));
      return { [a]: same(read + 100) };
    },
  },
  'an inode used again, with the same last KiB': {
    killUntilMs: 0,
    play: async ({ writer, pause, down }) => {
      writer.append(a, `first of the old\n${same(100)}`);
      await pause(1500);
      await down(() => {
        writer.disk.removeSync(a);
        writer.append(a, `first of the new\n${same(150)}`);
      });
      return { [a]: `first of the old\n${same(100)}first of the new\n${same(150)}` };
    },
  },
  'an inode used again, with the same first KiB': {
    killUntilMs: 0,
    play: async ({ writer, pause, down }) => {
      writer.append(a, banner + old);
      await pause(1500);
      await down(() => {
        writer.disk.removeSync(a);
        writer.append(a, banner + lines('new', 100));
      });
      return { [a]: banner + old + banner + lines('new', 100) };
    },
  },
  'deletion and creation with the same first line': {
    killUntilMs: 0,
    play: async ({ writer, pause }) => {
      writer.append(a, 'started\n');
      await pause(1500);
      writer.disk.removeSync(a);
      writer.append(a, 'started\nnew\n');
      await pause(2000);
      return { [a]: 'started\nstarted\nnew\n' };
    },
  },
  'a file first seen under a rotated name': {
    options: all,
    killUntilMs: 2000,
    play: async ({ writer, pause, down }) => {
      await down(async () => {
        writer.append(`${a}.1`, old);
        await pause(10);
        writer.append(a, lines('new', 10));
      });
      await pause(2000);
      return { [a]: old + lines('new', 10) };
    },
  },
  compression: {
    options: all,
    killUntilMs: 0,
    play: async ({ writer, pause }) => {
      writer.append(a, old);
      await pause(1000);
      writer.disk.renameSync(a, `${a}.1`);
      writer.append(a, lines('new', 10));
      await pause(1000);
      writer.write(`${a}.1.gz`, gzipSync(Buffer.from(old)));
      await pause(100);
      writer.disk.removeSync(`${a}.1`);
      await pause(8000);
      return { [a]: old + lines('new', 10) };
    },
  },
  'acknowledgements out of order': {
    producer: { delayMs: (batch) => (batch === 1 ? 2500 : 0) },
    anyOrder: true,
    killUntilMs: 3000,
    play: async ({ writer, pause }) => {
      for (let i = 0; i < 6; i++) {
        writer.append(a, lines('l', 20, i * 20));
        await pause(200);
      }
      await pause(1000);
      return { [a]: lines('l', 120) };
    },
  },
  'a batch that is refused': {
    producer: { fails: (batch) => batch === 2 },
    killUntilMs: 0,
    play: async ({ writer, pause }) => {
      for (let i = 0; i < 4; i++) {
        writer.append(a, lines('l', 20, i * 20));
        await pause(100);
      }
      await pause(3000);
      return { [a]: lines('l', 80) };
    },
  },
};

/** How far apart the moments are at which the agent is killed. */
const killEveryMs = 97;
/** Positions are written once a second; what came before them is not repeated. */
const inFlightMs = 1_400;

/** Plays a scenario undisturbed, then once for each moment at which the agent is killed. */
export async function enumerate(
  name: string,
  parts: AgentParts = originals,
  everyMs = killEveryMs,
): Promise<number> {
  const scenario = scenarios[name];
  if (!scenario) throw new Error(`no scenario ${name}`);
  await playOnce(name, scenario, parts, undefined);
  let runs = 1;
  for (let killMs = 3; killMs < scenario.killUntilMs; killMs += everyMs, runs++) {
    await playOnce(name, scenario, parts, killMs);
  }
  return runs;
}

async function playOnce(
  name: string,
  scenario: Scenario,
  parts: AgentParts,
  killMs: number | undefined,
): Promise<void> {
  const sim = createSimSystem({ seed: 7 + (killMs ?? 0) });
  const world = new FileWorld(sim, scenario.options, scenario.producer, parts);
  const { clock } = sim.process('writer');
  const down = async (work: () => Promise<void> | void) => {
    world.kill();
    await work();
    await world.start();
  };
  const whole = async () => {
    await world.start();
    const played = scenario.play({
      world,
      writer: world.writer,
      pause: (ms) => clock.sleep(ms),
      down,
    });
    if (killMs !== undefined) {
      await clock.sleep(killMs);
      world.kill();
      await clock.sleep(50);
      if (!world.process?.alive) await world.start();
    }
    const expected = await played;
    await clock.sleep(9_000);
    await world.source?.drain();
    await world.source?.stop();
    return expected;
  };
  try {
    const expected = await sim.run(whole(), { limitMs: 120_000 });
    check(world, scenario, expected, killMs);
  } catch (error) {
    throw new Error(`${name}, killed at ${killMs ?? 'no'} ms: ${String(error)}`, { cause: error });
  }
}

function check(
  { topics }: FileWorld,
  scenario: Scenario,
  expected: Readonly<Record<string, string>>,
  killMs: number | undefined,
): void {
  const keys = Object.keys(expected).sort().join();
  if (topics.keys.join() !== keys) throw new Error(`keys ${topics.keys.join()} are not ${keys}`);
  for (const [key, content] of Object.entries(expected)) {
    if (scenario.anyOrder) {
      const lacking = content
        .split('\n')
        .filter((line) => line && !topics.ofKey(key).includes(line));
      if (lacking.length > 0) throw new Error(`${lacking.join()} is lost`);
      continue;
    }
    if (killMs === undefined && !scenario.producer?.fails) {
      if (topics.contentOf(key) !== content)
        throw new Error(difference(topics.contentOf(key), content));
      const partials = topics.records.filter((one) => 'logflume.partial' in one.headers).length;
      if (partials !== (scenario.partials ?? 0)) throw new Error(`${partials} partial lines`);
      continue;
    }
    const firstMs = new Map<string, number>();
    for (const { key: of, value, atMs } of topics.records) {
      if (of !== key) continue;
      const before = firstMs.get(value);
      if (before === undefined) firstMs.set(value, atMs);
      else if (killMs !== undefined && before < killMs - inFlightMs && isUnique(content, value)) {
        throw new Error(`${value} was delivered long before and is repeated`);
      }
    }
    const first = [...firstMs.keys()].map((line) => `${line}\n`).join('');
    const unique = [...new Set(content.split('\n').slice(0, -1))]
      .map((line) => `${line}\n`)
      .join('');
    if (first !== unique) throw new Error(difference(first, unique));
  }
}

function isUnique(content: string, line: string): boolean {
  return content.split(`${line}\n`).length === 2;
}

/** Where two texts begin to differ. */
export function difference(actual: string, expected: string): string {
  let at = 0;
  while (at < expected.length && actual[at] === expected[at]) at++;
  const part = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 40), at + 60));
  return `at ${at}: ${part(actual)} instead of ${part(expected)} (${actual.length}, ${expected.length} bytes)`;
}
