import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Positions, PositionsError } from '../../agent/positions.js';
import { crashAtEveryStep, createSimSystem, type SimProcess } from '../../system/sim/index.js';

const path = '/data/positions.json';
const schema = z.strictObject({ at: z.number() });

async function open(process: SimProcess): Promise<Positions> {
  process.disk.makeDirectorySync('/data');
  return Positions.open(process, '/data');
}

function put(process: SimProcess, content: string): void {
  process.disk.makeDirectorySync('/data');
  process.disk.replaceFileSync(path, content);
}

describe('positions', () => {
  it('are old or new after any crash, and never older than what a save promised', async () => {
    let promised = 0;
    await crashAtEveryStep({
      seed: 4,
      kinds: ['kill', 'torn', 'powerLoss'],
      prepare: async (sim) => {
        promised = 0;
        sim.process('before').disk.makeDirectorySync('/data');
        sim.process('before').disk.syncDirectorySync('/');
      },
      work: async (process) => {
        const positions = await Positions.open(process, '/data');
        let at = 0;
        positions.of('app').keep(() => ({ at }));
        for (at = 1; at <= 4; at++) {
          await positions.save();
          promised = at;
        }
      },
      check: async (sim) => {
        const restored = (await open(sim.process('after'))).of('app').restore(schema)?.at ?? 0;
        expect(restored).toBeGreaterThanOrEqual(promised);
        expect(restored).toBeLessThanOrEqual(promised + 1);
      },
    });
  });

  it('are written once a second while they change, and not otherwise', async () => {
    const sim = createSimSystem({ seed: 1 });
    const process = sim.process('agent');
    const positions = await sim.run(open(process));
    let snapshots = 0;
    positions.of('app').keep(() => ({ at: snapshots++ }));
    for (let i = 0; i < 50; i++) {
      positions.of('app').changed();
      await sim.advance(100);
    }
    expect(snapshots).toBeGreaterThanOrEqual(4);
    expect(snapshots).toBeLessThanOrEqual(6);
    await sim.advance(10_000);
    const quiet = snapshots;
    await sim.advance(60_000);
    expect(snapshots).toBe(quiet);
  });

  it('are written at once when they change after a quiet time', async () => {
    const sim = createSimSystem({ seed: 1 });
    const process = sim.process('agent');
    const positions = await sim.run(open(process));
    let at = 0;
    positions.of('app').keep(() => ({ at }));
    const stored = () => JSON.parse(process.disk.readFileSync(path).toString()).sources.app.at;
    for (at = 1; at <= 2; at++) {
      positions.of('app').changed();
      await sim.advance(20);
      expect(stored()).toBe(at);
      await sim.advance(5_000);
    }
  });

  it('of a source that is not configured now are kept', async () => {
    const sim = createSimSystem({ seed: 1 });
    const process = sim.process('agent');
    put(process, JSON.stringify({ version: 1, sources: { gone: { at: 7 } } }));
    const positions = await sim.run(open(process));
    positions.of('app').keep(() => ({ at: 1 }));
    await sim.run(positions.save());
    const again = await sim.run(open(process));
    expect(again.of('gone').restore(schema)).toEqual({ at: 7 });
    expect(again.of('app').restore(schema)).toEqual({ at: 1 });
  });

  it.each([
    ['no JSON', '{"version":1,', /is damaged \(it is no JSON\).*remove it to read all files/],
    ['empty', '', /is damaged/],
    ['of another shape', '{"version":1}', /is damaged/],
    ['of a later version', '{"version":2,"sources":{}}', /version 2, written by a later logflume/],
  ])('that are %s stop the start with words', async (_what, content, words) => {
    const sim = createSimSystem({ seed: 1 });
    put(sim.process('agent'), content);
    const opened = sim.run(open(sim.process('agent')));
    await expect(opened).rejects.toThrow(PositionsError);
    await expect(opened).rejects.toThrow(words);
  });

  it('whose share of a source is damaged stop its start', async () => {
    const sim = createSimSystem({ seed: 1 });
    put(sim.process('agent'), JSON.stringify({ version: 1, sources: { app: { at: 'x' } } }));
    const positions = await sim.run(open(sim.process('agent')));
    expect(() => positions.of('app').restore(schema)).toThrow(/source app/);
  });
});
