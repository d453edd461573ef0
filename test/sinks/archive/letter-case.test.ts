import { describe, expect, it } from 'vitest';
import { encodeLink } from '../../../sinks/archive/claims/claim.js';
import { LiveFiles } from '../../../sinks/archive/live-encoder.js';
import { fileName } from '../../../sinks/archive/names.js';
import { PartitionWriter } from '../../../sinks/archive/partition-writer.js';
import { LocalStore } from '../../../sinks/archive/stores/index.js';
import { verifyArchive } from '../../../sinks/archive/verify.js';
import { createSimSystem } from '../../../system/sim/index.js';
import { FakeTopic } from '../fake-topic.js';
import { archiveFiles, CHAIN, readClaims, startOwner, within } from './world.js';

const ours = { PartitionWriter, LocalStore, LiveFiles };
const KEYS = ['host:/Log', 'host:/log', 'HOST:/log', 'other'];

function topicOf(count: number): FakeTopic {
  const topic = new FakeTopic().fill(count);
  for (const [i, record] of topic.records.entries()) {
    Object.assign(record, { key: KEYS[i % KEYS.length] });
  }
  return topic;
}

describe('keys that differ in case alone', () => {
  it.each([
    ['lines', 'none', false],
    ['lines', 'none', true],
    ['lines', 'gzip', true],
    ['jsonl', 'none', true],
  ] as const)('%s, %s: have files of their own, ignoring case: %s', async (...given) => {
    const [format, compression, ignoresCase] = given;
    const sim = createSimSystem({ seed: 1 });
    sim.volume().ignoresCase = ignoresCase;
    const topic = topicOf(24);
    const process = sim.process('owner');
    const settings = { format, filePer: 'key', compression } as const;
    const writer = startOwner(ours, process, topic, { rotateRecords: 12, settings });
    await sim.run(within(process, writer.drain(topic.end)));
    await sim.run(writer.close());
    const claims = readClaims(process);
    for (const { files } of claims) {
      const names = files.map(({ name }) => name.toLowerCase());
      expect(new Set(names).size).toBe(names.length);
      for (const { name, key } of files) expect(name.includes('/~')).toBe(key !== undefined);
    }
    const values = [...archiveFiles(process).values()].flatMap(
      (content) => content.toString().match(/record \d+/g) ?? [],
    );
    expect(values.toSorted()).toEqual(topic.records.map(({ value }) => value).toSorted());
    const { problems } = await sim.run(verifyArchive(new LocalStore(process, '/archive', 'v')));
    expect(problems).toEqual([]);
  });

  it('are finished as they were claimed, where an earlier version did', async () => {
    const sim = createSimSystem({ seed: 2 });
    const topic = topicOf(8);
    const process = sim.process('owner');
    const first = startOwner(ours, process, topic, { rotateRecords: 100 });
    await sim.run(within(process, first.drain(topic.end)));
    await sim.run(first.close());
    const [claim] = readClaims(process);
    if (claim === undefined) throw new Error('there is no claim');
    const id = { topic: 'logs', topicId: 'abcdefghijklmnopqrstuv', partition: 0 };
    const files = claim.files.map(({ key, ...file }) => {
      if (key === undefined) return file;
      const hour = file.name.includes('hour=01') ? 490_897 : 490_896;
      const { start, end } = claim;
      const parts = { id, key: Buffer.from(key, 'base64'), hour, start, end, extension: 'log' };
      return { ...file, name: fileName(parts) };
    });
    const plain = encodeLink({ ...claim, files });
    process.disk.replaceFileSync(`${CHAIN}/${'0'.repeat(20)}.json`, plain);
    process.disk.removeSync(`${CHAIN}/${'0'.repeat(20)}.done`);
    await sim.run(process.disk.removeTree('/archive/logs'));
    const second = startOwner(ours, process, topic, { rotateRecords: 100 });
    await sim.run(within(process, second.drain(topic.end)));
    await sim.run(second.close());
    expect([...archiveFiles(process).keys()].toSorted()).toEqual(
      files.map(({ name }) => name).toSorted(),
    );
  });
});
