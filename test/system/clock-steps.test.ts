import { describe, expect, it } from 'vitest';
import { Agent, agentSection } from '../../agent/index.js';
import { Broker } from '../../broker/index.js';
import { Consumer } from '../../client/index.js';
import { Sinks, sinksSection } from '../../sinks/index.js';
import { createSimSystem, type SimProcess, type Simulation } from '../../system/sim/index.js';
import { rounds, seed } from '../rounds.js';
import { archiveFiles } from '../sinks/archive/world.js';

const HOUR = 3_600_000;
/** The machine of application and agent; broker and sinks have the other. */
const OURS = '10.0.0.2';
const THEIRS = '10.0.0.1';
/** From the last line on until everything is archived: looks, linger, rotation, commits. */
const HOLD_MS = 25_000;

interface Town {
  readonly sim: Simulation;
  readonly written: string[];
  readonly mails: string[];
  readonly app: SimProcess;
}

/** Somebody sets the clocks of both machines, or the agent's alone to a distance from the right. */
type Step = { readonly allByMs: number } | { readonly oursOffMs: number };

/** Broker and sinks on one machine, the agent on another. */
async function start(sim: Simulation): Promise<() => Promise<void>> {
  const broker = await Broker.start(
    {
      dataDir: '/data/broker',
      listeners: [{ listen: { host: THEIRS, port: 9092 } }],
      properties: {
        'log.index.size.max.bytes': 4096,
        'log.message.timestamp.before.max.ms': HOUR,
      },
    },
    sim.process('broker', { host: THEIRS }),
  );
  const kafka = { bootstrap: [broker.address], client_id: 'logflume' };
  const store = { type: 'local', root: '/archive' };
  const rotate = { idle: '2s', age: '10s' };
  const sinks = await Sinks.start(sim.process('sinks', { host: THEIRS }), {
    config: sinksSection().parse({
      logs: { type: 'archive', topics: ['logs'], store, rotate },
      letters: { type: 'archive', topics: ['mails'], store, format: 'eml', rotate },
    }),
    kafka,
    dataDir: '/data/sinks',
  });
  const agent = await Agent.start(sim.process('agent', { host: OURS }), {
    config: agentSection().parse({
      producer: { batch_size: 256, linger: '5ms' },
      sources: {
        app: { type: 'file', include: ['/logs/app.log*'], topic: 'logs' },
        post: { type: 'maildrop', directory: '/mails', topic: 'mails', settle: '5s' },
      },
    }),
    kafka,
    dataDir: '/data/agent',
  });
  return async () => {
    await agent.stop();
    await sinks.stop();
    await broker.stop();
  };
}

/** An application that writes lines in bursts, rotates its file and drops mails, slowly too. */
async function write({ sim, app, written, mails }: Town): Promise<void> {
  const random = sim.process('chance').random;
  const { disk, clock } = app;
  for (let i = 0; i < 40; i += 1) {
    const burst = 1 + Math.floor(random.float() ** 2 * 30);
    for (let j = 0; j < burst; j += 1) {
      const file = disk.openSync('/logs/app.log', 'a+');
      const line = `line ${written.length} ${'x'.repeat(Math.floor(random.float() * 50))}`;
      written.push(line);
      file.writeSync([Buffer.from(`${line}\n`)], file.statSync().size);
      file.closeSync();
      if (j < burst - 1) await clock.sleep(random.float() * 10);
    }
    if (i % 13 === 12) rotate(app, i, random.float() < 0.5);
    if (i % 9 === 8) {
      const mail = disk.openSync(`/mails/${i}.eml`, 'wx');
      mail.writeSync([Buffer.from(`mail ${i}, `)], 0);
      // Less than a mail may pause before it counts as finished.
      await clock.sleep(3_000);
      mail.writeSync([Buffer.from('second half')], mail.statSync().size);
      mail.closeSync();
      mails.push(`mail ${i}, second half`);
    }
    await clock.sleep(random.float() * 800);
  }
}

/** At once behind a line: what was not read yet is in the rotated file alone. */
function rotate({ disk }: SimProcess, i: number, isCopied: boolean): void {
  const rotated = `/logs/app.log.${i}`;
  if (!isCopied) {
    disk.renameSync('/logs/app.log', rotated);
    return;
  }
  const file = disk.openSync('/logs/app.log', 'r+');
  const copy = disk.openSync(rotated, 'wx');
  copy.writeSync([disk.readFileSync('/logs/app.log')], 0);
  file.truncateSync(0);
  copy.closeSync();
  file.closeSync();
}

/** How long after the last line everything was archived. */
async function live(seed: number, steps: readonly Step[]): Promise<number> {
  const sim = createSimSystem({ seed });
  // In half of the towns several batches are under way at once.
  sim.network.maxLatencyMs = seed % 2 === 0 ? 1 : 60;
  const town: Town = { sim, written: [], mails: [], app: sim.process('app', { host: OURS }) };
  for (const path of ['/logs', '/mails']) town.app.disk.makeDirectorySync(path);
  const work = async () => {
    const stop = await start(sim);
    const chance = sim.process('chance').random;
    const clock = sim.process('clock').clock;
    const writing = write(town);
    let offMs = 0;
    const setOurs = (toMs: number) => {
      sim.stepWallClock(toMs - offMs, OURS);
      offMs = toMs;
    };
    for (const step of steps) {
      // Now and then within what is under way.
      await clock.sleep(chance.float() * (chance.float() < 0.6 ? 80 : 2_500));
      if ('allByMs' in step) sim.stepWallClock(step.allByMs);
      else setOurs(step.oursOffMs);
    }
    setOurs(0);
    await writing;
    const wroteAt = sim.now;
    const reader = sim.process('reader', { host: THEIRS });
    const archived = () => [...archiveFiles(reader).values()].map(String);
    const linesOf = () => archived().flatMap((text) => text.match(/^line .*$/gm) ?? []);
    const mailsOf = () => archived().filter((text) => text.startsWith('mail'));
    const isThere = () =>
      linesOf().length >= town.written.length && mailsOf().length >= town.mails.length;
    while (!isThere() && sim.now - wroteAt < 2 * HOUR) await clock.sleep(500);
    const heldMs = sim.now - wroteAt;
    // What comes twice comes late.
    await clock.sleep(20_000);
    expect(linesOf().toSorted()).toEqual(town.written.toSorted());
    expect(mailsOf().toSorted()).toEqual(town.mails.toSorted());
    for (const text of archived()) {
      const lines = (text.match(/^line (\d+)/gm) ?? []).map((line) => Number(line.slice(5)));
      expect(lines).toEqual(lines.toSorted((a, b) => a - b));
    }
    const found = await linesOfTopic(sim);
    expect(found).toEqual(town.written);
    await stop();
    return heldMs;
  };
  return sim.run(work(), { limitMs: 3 * HOUR });
}

/** What of the one partition of `logs` are lines, in its order. */
async function linesOfTopic(sim: Simulation): Promise<string[]> {
  const reader = sim.process('reader', { host: THEIRS });
  const consumer = new Consumer({ bootstrap: [`${THEIRS}:9092`] }, reader);
  await consumer.assign([{ topic: 'logs', partition: 0, position: 'beginning' }]);
  const found: string[] = [];
  const reading = (async () => {
    for await (const batch of consumer.batches()) {
      const cursor = batch.cursor();
      while (cursor.next()) found.push(String(cursor.value()));
    }
  })();
  await reader.clock.sleep(2_000);
  await consumer.close();
  await reading;
  return found;
}

function randomStep(random: SimProcess['random']): Step {
  if (random.float() < 0.4) return { allByMs: random.float() < 0.5 ? -HOUR : HOUR };
  const offs = [0, 0, HOUR / 2, 3 * HOUR, -3 * HOUR, 24 * HOUR];
  return { oursOffMs: offs[Math.floor(random.float() * offs.length)] ?? 0 };
}

describe('a wall clock that is set while everything runs', () => {
  it('changes nothing but times of day', { timeout: 60_000 * rounds }, async () => {
    for (let life = seed; life < seed + 2 * rounds; life += 1) {
      const random = createSimSystem({ seed: life }).process('steps').random;
      const steps = Array.from({ length: 40 }, () => randomStep(random));
      for (const [name, all] of [
        ['without steps', []],
        ['with steps', steps],
      ] as const) {
        try {
          expect(await live(life, all)).toBeLessThan(HOLD_MS);
        } catch (error) {
          throw new Error(`seed ${life}, ${name} ${JSON.stringify(all)}: ${error}`, {
            cause: error,
          });
        }
      }
    }
  });
});
