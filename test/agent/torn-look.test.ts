import { describe, expect, it } from 'vitest';
import { createSimSystem } from '../../system/sim/index.js';
import { FileWorld, lines } from './file-world.js';

const path = '/log/a.log';
/** More calls than a start and the first round after it make. */
const manyCalls = 90;

/** A log whose rotation takes no time, so that it happens between two calls of the agent. */
class Log {
  text = '';
  #next = 0;
  readonly #world: FileWorld;

  constructor(
    world: FileWorld,
    private readonly style: 'rename' | 'copytruncate' | 'dated',
  ) {
    this.#world = world;
  }

  write(count: number): void {
    const text = lines('a', count, this.#next);
    this.#next += count;
    this.text += text;
    this.#world.writer.append(path, text);
  }

  rotate(): void {
    const { writer } = this.#world;
    const { disk } = writer;
    if (this.style === 'dated') {
      disk.renameSync(path, `${path}-2026112${this.#next}`);
      return;
    }
    for (let number = 9; number > 0; number--) {
      const from = `${path}.${number}`;
      if (disk.statSync(from)) disk.renameSync(from, `${path}.${number + 1}`);
    }
    if (this.style === 'rename') disk.renameSync(path, `${path}.1`);
    else {
      writer.copy(path, `${path}.1`);
      writer.truncate(path);
    }
  }
}

interface Life {
  readonly style: 'rename' | 'copytruncate' | 'dated';
  readonly include: string;
  /** The agent is killed before it has stored what the last rotation made. */
  readonly isBehind: boolean;
}

/** The log is rotated right before a call that the agent makes after its kill; true if it was. */
async function rotateAmid({ style, include, isBehind }: Life, call: number): Promise<boolean> {
  const world = new FileWorld(createSimSystem({ seed: 6 }), { include: [include] });
  const log = new Log(world, style);
  const { clock } = world.sim.process('writer');
  let calls = 0;
  const live = async () => {
    log.write(100);
    await world.start();
    await clock.sleep(3_000);
    log.rotate();
    await clock.sleep(5);
    log.write(100);
    await clock.sleep(3_000);
    if (isBehind) {
      log.rotate();
      await clock.sleep(5);
      log.write(50);
      await clock.sleep(100);
    }
    world.kill();
    log.write(50);
    // Files of one age could not be told apart.
    await clock.sleep(5);
    world.beforeCall = () => {
      if (++calls !== call) return;
      log.rotate();
      log.write(60);
    };
    const source = await world.start();
    await clock.sleep(10_000);
    log.write(30);
    await clock.sleep(10_000);
    await source.drain();
    await source.stop();
  };
  await world.sim.run(live(), { limitMs: 600_000 });
  const sent = [...new Set(world.topics.contentOf(path).split('\n'))];
  expect(world.topics.keys).toEqual([path]);
  expect(sent, `before call ${call}`).toEqual(log.text.split('\n'));
  return calls >= call;
}

describe('a log that is rotated while the agent looks', () => {
  it.each<Life>([
    { style: 'rename', include: '/log/a.log*', isBehind: false },
    { style: 'rename', include: '/log/a.log*', isBehind: true },
    { style: 'rename', include: '/log/a.log', isBehind: false },
    { style: 'rename', include: '/log/a.log', isBehind: true },
    { style: 'copytruncate', include: '/log/a.log*', isBehind: false },
    { style: 'copytruncate', include: '/log/a.log*', isBehind: true },
    { style: 'copytruncate', include: '/log/a.log', isBehind: false },
    { style: 'copytruncate', include: '/log/a.log', isBehind: true },
    { style: 'dated', include: '/log/a.log*', isBehind: true },
    { style: 'dated', include: '/log/a.log', isBehind: true },
  ])('is sent in order: %o', async (life) => {
    const failed: string[] = [];
    for (let call = 1; call <= manyCalls; call++) {
      await rotateAmid(life, call).catch((error: unknown) => failed.push(String(error)));
    }
    expect(failed).toEqual([]);
  });
});
