import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Context } from '../../cli/context.js';
import { Ensemble } from '../../cli/ensemble.js';
import { runProgram } from '../../cli/program.js';
import type { Terminal } from '../../cli/terminal.js';
import { Sinks } from '../../sinks/index.js';
import { createRealSystem } from '../../system/real/index.js';
import { createSimSystem } from '../../system/sim/index.js';

let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'logflume-gap-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const terminal = {
  say: () => {},
  paint: (_: string, text: string) => text,
} as unknown as Terminal;

describe('--accept-gap', () => {
  it.each([true, false])('reaches the sinks where it is given: %s', async (given) => {
    const file = join(directory, 'sinks.yaml');
    const sink = '{ type: archive, topics: [a], store: { type: local, root: ./archive } }';
    writeFileSync(file, `kafka: { bootstrap: [here:1] }\nsinks: { a: ${sink} }\n`);
    const start = vi.spyOn(Sinks, 'start').mockRejectedValue(new Error('seen'));
    const system = createRealSystem({ logLevel: 'silent' });
    const args = ['sinks', '-c', file, ...(given ? ['--accept-gap'] : [])];
    expect(await runProgram({ system, terminal, environment: {}, script: 'main.js' }, args)).toBe(
      1,
    );
    expect(start.mock.lastCall?.[1].acceptGap).toBe(given);
    start.mockRestore();
  });

  it('of up goes to the first process of the sinks only', async () => {
    const sim = createSimSystem({ seed: 1 });
    const started: (readonly string[])[] = [];
    let kill = () => {};
    const processes = {
      fork: (_: string, args: readonly string[]) => {
        started.push(args);
        return {
          send() {},
          kill() {},
          onMessage: (tell: (message: unknown) => void) => tell({ type: 'ready' }),
          onExit: (exit: (how: object) => void) => {
            kill = () => exit({ code: null, signal: 'SIGKILL' });
          },
        };
      },
    };
    const system = { ...sim.process('up'), clock: sim.process('up').clock, processes };
    const context = { system, terminal, environment: {} } as unknown as Context;
    const ensemble = new Ensemble(context, {
      ...{ file: 'a.yaml', script: 'main.js', document: {}, environment: {} },
      config: { agent: {}, sinks: {} } as never,
      acceptGap: true,
      onDeath: () => {},
    });
    await sim.run(async () => {
      await ensemble.start();
      kill();
      await sim.process('up').clock.sleep(1000);
    });
    expect(started.map((args) => [args[0], args.includes('--accept-gap')])).toEqual([
      ['agent', false],
      ['sinks', true],
      ['sinks', false],
    ]);
  });
});
