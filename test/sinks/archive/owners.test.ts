import { describe, expect, it } from 'vitest';
import { LiveFiles } from '../../../sinks/archive/live-encoder.js';
import { PartitionWriter } from '../../../sinks/archive/partition-writer.js';
import { LocalStore } from '../../../sinks/archive/stores/index.js';
import { sinksSection } from '../../../sinks/index.js';
import { createSimSystem, forEachSeed } from '../../../system/sim/index.js';
import { FakeTopic } from '../fake-topic.js';
import { checkExactlyOnce, finishAndCheck, startOwner, within } from './world.js';

const ours = { PartitionWriter, LocalStore, LiveFiles };
const OWNERS = '/archive/_claims/_owners';

describe('a sink on the root of another', () => {
  it('that was renamed archives nothing again, and says what to do', async () => {
    const sim = createSimSystem({ seed: 1 });
    const topic = new FakeTopic().fill(9);
    await sim.run(finishAndCheck(ours, sim, topic));
    for (const isOld of [false, true]) {
      // As it was before there were owners.
      if (isOld) await sim.run(sim.process('person').disk.removeTree(OWNERS));
      topic.committed = undefined;
      const process = sim.process('renamed');
      const writer = startOwner(ours, process, topic, { sink: 'renamed' });
      await sim.advance(10_000);
      expect(writer.status.blocked).toContain('say "continues: archive" in its section');
      expect(process.problems.list()[0]?.text).toBe(writer.status.blocked);
      checkExactlyOnce(process, topic.records);
      expect(topic.committed).toBeUndefined();
      await sim.run(writer.close());
    }
    // As `continues` has it: under the name of the claims, with the new group's offsets.
    topic.fill(5);
    const process = sim.process('continued');
    const writer = startOwner(ours, process, topic);
    await sim.run(within(process, writer.drain(topic.end)));
    checkExactlyOnce(process, topic.records);
    await sim.run(writer.close());
  });

  it('finds no way in where the file that names its owner is damaged', async () => {
    const sim = createSimSystem({ seed: 4 });
    const topic = new FakeTopic().fill(9);
    await sim.run(finishAndCheck(ours, sim, topic));
    const person = sim.process('person');
    const path = `${OWNERS}/cluster-1/logs.abcdefghijklmnopqrstuv/0.json`;
    person.disk.replaceFileSync(path, Buffer.alloc(0));
    const second = startOwner(ours, sim.process('second'), topic, { sink: 'second' });
    await sim.advance(10_000);
    expect(second.status.blocked).toContain('The sink archive archives topic logs');
    checkExactlyOnce(person, topic.records);
    await sim.run(second.close());
    topic.fill(3);
    await sim.run(finishAndCheck(ours, sim, topic, { name: 'owner' }));
  });

  it('at the very same time: one archives, the other says so', async () => {
    await forEachSeed(
      Array.from({ length: 20 }, (_, i) => i),
      async (sim) => {
        const topic = new FakeTopic().fill(9);
        const names = ['alpha', 'beta'];
        const writers = names.map((sink) => startOwner(ours, sim.process(sink), topic, { sink }));
        await sim.process('watch').clock.sleep(30_000);
        const reader = sim.process('reader');
        checkExactlyOnce(reader, topic.records.slice(0, topic.records.length - 1));
        const blocked = writers.filter(({ status }) => status.blocked !== undefined);
        expect(blocked).toHaveLength(1);
        await Promise.all(writers.map((writer) => writer.close()));
      },
    );
  });

  it('goes on where both have archives of their own already', async () => {
    const sim = createSimSystem({ seed: 3 });
    const topic = new FakeTopic().fill(4);
    await sim.run(finishAndCheck(ours, sim, topic));
    const process = sim.process('both');
    await sim.run(process.disk.removeTree(OWNERS));
    const claims = '/archive/_claims';
    process.disk.renameSync(`${claims}/archive`, `${claims}/second`);
    const writer = startOwner(ours, process, topic, { sink: 'second' });
    await sim.run(within(process, writer.drain(topic.end)));
    process.disk.renameSync(`${claims}/second`, `${claims}/archive`);
    await sim.run(writer.close());
    topic.fill(4);
    const again = startOwner(ours, process, topic);
    await sim.run(within(process, again.drain(topic.end)));
    const said = process.logLines.map(({ message }) => message).join();
    expect(said).toContain('The sink second archives topic logs');
    await sim.run(again.close());
    // Who has a chain need not ask whether another has one: the first to come is the owner.
    await sim.run(process.disk.removeTree(OWNERS));
    await sim.run(process.disk.makeDirectory(`${claims}/second/cluster-1`));
    const [stream = ''] = process.disk.listSync(`${claims}/archive/cluster-1`);
    const copy = `${claims}/second/cluster-1/${stream}/0`;
    await sim.run(process.disk.makeDirectory(copy));
    process.disk.replaceFileSync(`${copy}/genesis.json`, Buffer.from('?'));
    await sim.run(finishAndCheck(ours, sim, topic, { name: 'last' }));
    const path = `${OWNERS}/cluster-1/${stream}/0.json`;
    expect(process.disk.readFileSync(path).toString()).toBe('{"version":1,"sink":"archive"}\n');
  });
});

describe('sinks of one file', () => {
  const sink = (root: string, topics: string[], more = {}) => ({
    type: 'archive',
    topics,
    store: { type: 'local', root },
    ...more,
  });
  const mistakes = (sinks: Record<string, unknown>) =>
    sinksSection()
      .safeParse(sinks)
      .error?.issues.map(({ path, message }) => [path, message]);

  it('may not archive a topic to one root twice', () => {
    expect(mistakes({ a: sink('./x', ['t', 'u']), b: sink('x/', ['u', 'v']) })).toEqual([
      [
        ['b', 'store', 'root'],
        'is the archive of the sink "a" too, and both take topic u: every record would be there ' +
          'twice; give one of them another root',
      ],
    ]);
  });

  it('may share a root for other topics, or other clusters', () => {
    expect(mistakes({ a: sink('x', ['t']), b: sink('x', ['u']) })).toBeUndefined();
    expect(mistakes({ a: sink('x', ['t']), b: sink('y', ['t']) })).toBeUndefined();
    const kafka = { bootstrap: ['there:9092'] };
    expect(mistakes({ a: sink('x', ['t']), b: sink('x', ['t'], { kafka }) })).toBeUndefined();
  });
});
