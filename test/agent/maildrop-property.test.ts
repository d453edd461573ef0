import { expect, it } from 'vitest';
import type { MaildropSource } from '../../agent/sources/maildrop/index.js';
import type { Disk } from '../../system/index.js';
import { createSimSystem, type SimProcess } from '../../system/sim/index.js';
import { replayedSeed, rounds, seed } from '../rounds.js';
import type { FakeProducerOptions } from './fake-producer.js';
import { Drop, isNoFolder, mail, start } from './mail-world.js';

const games = replayedSeed === undefined ? 25 * rounds : 1;
const names = ['a', 'b', 'c'];
const settleMs = 1_000;
/** Mails with this are refused: by the source, by the broker. */
const tooLarge = 'refuse me '.repeat(400);
const refused = 'the broker refuses me';

/** One content that stood under a name of the directory. */
interface Content {
  readonly text: string;
  /** Whether the writer itself took it away again, or wrote on. */
  isWithdrawn: boolean;
}

type Options = Parameters<Drop['start']>[0];

/**
 * Plays a seed: writers use a few names again and again, also between any two calls of the agent;
 * the agent is killed, its memory is full, its removals fail. Names what was lost or repeated.
 */
class Game {
  readonly drop: Drop;
  readonly #random;
  /** By name: what the writers believe to stand there. */
  readonly #standing = new Map<string, Content>();
  readonly #contents: Content[] = [];
  #source: MaildropSource | undefined;
  #isIntruding = false;
  #actions: number;
  readonly #options: Options;
  readonly #producer: FakeProducerOptions;
  deaths = 0;

  constructor(
    seed: number,
    private readonly mayDie: boolean,
  ) {
    this.drop = new Drop(createSimSystem({ seed }));
    this.#random = this.drop.sim.process('chance').random;
    this.#actions = 15 + this.#below(40);
    const after = ['delete', 'keep', 'move'][this.#below(3)];
    this.#options = {
      ...{ after, settle: `${settleMs}ms`, max_mail_bytes: 3_000 },
      ...(after === 'move' && { move_to: '/done' }),
    };
    const refuses = (value: string) => value.includes(refused);
    const capacity = this.#below(3) === 0 ? 1 : 1000;
    const latencyMs = [4, 300, 4_000][this.#below(3)] ?? 4;
    this.#producer = { capacity, latencyMs, fails: () => this.#below(12) === 0, refuses };
  }

  async play(): Promise<void> {
    const { sim } = this.drop;
    await this.#start();
    while (this.#actions-- > 0) {
      this.#act();
      await this.drop.pause(this.#below(4) === 0 ? this.#below(4_000) : this.#below(40));
      if (this.mayDie && this.#below(8) === 0) await this.#die();
    }
    this.#isIntruding = false;
    await this.drop.pause(60_000);
    await this.#source?.drain();
    await this.#source?.stop();
    sim.process('agent').kill();
    this.#judge();
  }

  #below(limit: number): number {
    return Math.floor(this.#random.float() * limit);
  }

  async #start(): Promise<void> {
    const system = this.#intrudeOn(this.drop.sim.process('agent'));
    this.#isIntruding = true;
    this.#source = await start(system, this.drop.topics, this.#options, this.#producer);
  }

  async #die(): Promise<void> {
    this.deaths++;
    this.#isIntruding = false;
    const { sim } = this.drop;
    // A kill somewhere amid its calls, not between two of its turns.
    const agent = sim.process('agent');
    agent.crashAt(agent.steps + 1 + this.#below(6));
    await this.drop.pause(this.#below(2_000));
    if (this.#below(3) === 0) {
      sim.powerLoss();
      this.drop.reopen();
    } else agent.kill();
    await this.#start();
  }

  /** The writers act between any two of the agent's calls too. */
  #intrudeOn(agent: SimProcess): SimProcess {
    const disk: Record<string, unknown> = { ...agent.disk };
    for (const call of ['statSync', 'rename', 'link', 'remove', 'open', 'list', 'stat'] as const) {
      const original = agent.disk[call] as (...args: unknown[]) => unknown;
      disk[call] = (...args: unknown[]) => {
        if (this.#isIntruding && this.#below(6) === 0 && this.#actions > 0) this.#act();
        return original(...args);
      };
    }
    return Object.create(agent, { disk: { value: disk as unknown as Disk } });
  }

  #act(): void {
    this.#actions--;
    const name = names[this.#below(names.length)] ?? '';
    const text = mail(`mail-${this.#contents.length}`, 'x'.repeat(this.#below(200)));
    const kind = this.#below(8);
    if (kind < 4) this.#put(name, text, kind > 0);
    else if (kind === 4) this.#put(name, text + tooLarge, true);
    else if (kind === 5) this.#put(name, text + refused, true);
    else {
      const found = this.#withdraw(name);
      if (found === undefined) return;
      if (kind === 6) this.drop.disk.removeSync(`/drop/${name}`);
      else this.#put(name, `${found}more ${text}`, false);
    }
  }

  #put(name: string, text: string, byRename: boolean): void {
    this.#withdraw(name);
    const { drop } = this;
    const content = { text, isWithdrawn: false };
    this.#contents.push(content);
    this.#standing.set(name, content);
    const path = byRename ? `/spool/${name}` : `/drop/${name}`;
    drop.write(path, text);
    if (byRename) drop.disk.renameSync(path, `/drop/${name}`);
    drop.disk.syncDirectorySync('/drop');
  }

  /** What the writers find under the name is theirs to replace. */
  #withdraw(name: string): string | undefined {
    const path = `/drop/${name}`;
    if (this.drop.disk.statSync(path) === undefined) return undefined;
    const found = this.drop.disk.readFileSync(path).toString();
    for (const content of this.#contents) if (content.text === found) content.isWithdrawn = true;
    return found;
  }

  #judge(): void {
    const { topics, disk } = this.drop;
    const failed = disk.statSync('/drop/failed') ? disk.listSync('/drop/failed') : [];
    const aside = new Set(
      failed.map((name) => disk.readFileSync(`/drop/failed/${name}`).toString()),
    );
    const sent = new Map<string, number>();
    for (const { value } of topics.records) {
      const text = Buffer.from(value, 'latin1').toString();
      sent.set(text, (sent.get(text) ?? 0) + 1);
    }
    const written = new Set(this.#contents.map(({ text }) => text));
    for (const text of sent.keys()) expect(written.has(text), `${text} was never there`).toBe(true);
    for (const { text, isWithdrawn } of this.#contents) {
      const count = sent.get(text) ?? 0;
      const about = `${/mail-\d+/.exec(text)} of ${text.length} bytes`;
      if (!isWithdrawn) expect(count > 0 || aside.has(text), `${about} was lost`).toBe(true);
      if (this.deaths === 0) expect(count, `${about} was sent more than once`).toBeLessThan(2);
    }
    const left = disk.listSync('/drop').filter(isNoFolder);
    if (this.#options?.after !== 'keep')
      expect(left.filter((name) => name !== 'failed')).toEqual([]);
    const hidden = '/drop/.logflume';
    if (disk.statSync(hidden)) expect(disk.listSync(hidden)).toEqual([]);
  }
}

it.each([
  ['sends each mail that stood there once, whatever its name was used for', false],
  ['removes nothing that was not sent, wherever it dies', true],
])('%s', async (_what, mayDie) => {
  for (let one = seed; one < seed + games; one++) {
    const game = new Game(one, mayDie);
    try {
      await game.drop.sim.run(game.play(), { limitMs: 600_000 });
    } catch (error) {
      throw new Error(`LOGFLUME_SEED=${one}: ${String(error)}`, { cause: error });
    }
  }
});
