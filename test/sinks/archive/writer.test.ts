import { describe, expect, it } from 'vitest';
import { LiveFiles } from '../../../sinks/archive/live-encoder.js';
import { PartitionWriter } from '../../../sinks/archive/partition-writer.js';
import { LocalStore } from '../../../sinks/archive/stores/index.js';
import { createSimSystem } from '../../../system/sim/index.js';
import { FakeTopic } from '../fake-topic.js';
import { enumerations } from './enumeration.js';
import { finishAndCheck, readClaims } from './world.js';

const ours = { PartitionWriter, LocalStore, LiveFiles };

describe('the writer of one partition', () => {
  it('archives a topic once, in order, in claims that follow one another', async () => {
    const sim = createSimSystem({ seed: 1 });
    const topic = new FakeTopic().fill(40);
    await sim.run(finishAndCheck(ours, sim, topic));
    expect(readClaims(sim.process('reader')).length).toBeGreaterThan(5);
  });
});

describe('the archive holds every record exactly once, after', () => {
  it.each(Object.entries(enumerations))('%s', async (_name, enumerate) => {
    expect(await enumerate(ours)).toBeGreaterThan(5);
  });
});
