import { describe, expect, it } from 'vitest';
import { formats, madeOf } from '../../../sinks/archive/formats/index.js';
import { LiveFiles } from '../../../sinks/archive/live-encoder.js';
import { PartitionWriter } from '../../../sinks/archive/partition-writer.js';
import { LocalStore } from '../../../sinks/archive/stores/index.js';
import { createSimSystem, type SimProcess } from '../../../system/sim/index.js';
import { FakeTopic } from '../fake-topic.js';
import { archiveFiles, finishAndCheck, readClaims, startOwner, within } from './world.js';

const ours = { PartitionWriter, LocalStore, LiveFiles };

/** As a plugin would bring it: lines under another name. */
const known = madeOf(formats);
const lines = known.get('lines');
if (lines === undefined) throw new Error('there is no format lines');
const withPlugin = new Map([...known, ['syslog', { ...lines, extension: 'syslog' }]]);
const settings = { format: 'syslog', filePer: 'key', compression: 'none' } as const;

/** A writer with the plugin dies with a claim made and this many of its files published. */
async function claimed(process: SimProcess, topic: FakeTopic, published: number): Promise<void> {
  let left = published;
  startOwner(ours, process, topic, {
    formats: withPlugin,
    settings,
    wrap: (store) => ({
      stagingDirectory: store.stagingDirectory,
      createIfAbsent: (name, content) => store.createIfAbsent(name, content),
      publish: (path, name) => {
        left -= 1;
        if (left < 0) return new Promise(() => undefined);
        return store.publish(path, name);
      },
      read: (name) => store.read(name),
      scan: (name, onSlice) => store.scan(name, onSlice),
      files: (directory) => store.files(directory),
      folders: (directory) => store.folders(directory),
    }),
  });
  await process.clock.sleep(5_000);
  process.kill();
}

const contents = (process: SimProcess) =>
  [...archiveFiles(process)].map(([name, content]) => [name, String(content)]);

describe('a claim in a format that is not loaded', () => {
  it.each([0, 1])(
    'blocks its partition with %i files there, and changes nothing',
    async (published) => {
      const sim = createSimSystem({ seed: 5 });
      const topic = new FakeTopic().fill(9);
      await sim.run(claimed(sim.process('owner'), topic, published));
      const person = sim.process('person');
      const before = contents(person);
      expect(before).toHaveLength(published);
      expect(readClaims(person)).toHaveLength(1);
      const process = sim.process('heir');
      const writer = startOwner(ours, process, topic, { rotateRecords: 3 });
      await sim.advance(60_000);
      expect(writer.status.blocked).toMatch(
        /^Offsets 0 to \d+ are claimed in the format "syslog".*Name the module .* under plugins:/,
      );
      expect(process.problems.list()[0]?.text).toBe(writer.status.blocked);
      expect(contents(person)).toEqual(before);
      expect(readClaims(person)).toHaveLength(1);
      expect(topic.committed).toBe(0);
      await sim.run(writer.close());
      await sim.run(finishAndCheck(ours, sim, topic, { formats: withPlugin, name: 'mended' }));
    },
  );

  it('is finished where its files are all there', async () => {
    const sim = createSimSystem({ seed: 6 });
    const topic = new FakeTopic().fill(9);
    const process = sim.process('owner');
    const writer = startOwner(ours, process, topic, { formats: withPlugin, settings });
    await sim.run(within(process, writer.drain(topic.end)));
    await sim.run(writer.close());
    const { disk } = sim.process('person');
    const chain = '/archive/_claims/archive/cluster-1/logs.abcdefghijklmnopqrstuv/0';
    for (const name of disk.listSync(chain)) {
      if (name.endsWith('.done')) disk.removeSync(`${chain}/${name}`);
    }
    topic.fill(9);
    await sim.run(finishAndCheck(ours, sim, topic));
  });
});
