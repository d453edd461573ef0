import { expect, it } from 'vitest';
import { z } from '../../../config/index.js';
import { type DestinationComponent, deliverySink } from '../../../sinks/delivery/index.js';
import {
  type CrashKind,
  crashAtEveryStep,
  createSimSystem,
  type SimProcess,
} from '../../../system/sim/index.js';
import { FakeFeed, FakeTopic } from '../fake-topic.js';
import { startSender, startWorker, TOPIC_ID } from './delivery-world.js';

const schema = z.object({ path: z.string().describe('The file.') }).describe('Appends lines.');

/** A destination as somebody else would write it: it appends lines to a file. */
const append: DestinationComponent<typeof schema> = {
  type: 'append',
  schema,
  create: ({ path }, { system }) => ({
    shown: path,
    formats: ['lines'],
    encode(records) {
      // A line that a crash has torn ends here.
      const lines = ['\n'];
      while (records.next()) {
        const value = records.bytes.toString('utf8', records.valueStart, records.valueEnd);
        if (value === 'record 6') throw new Error('not a line');
        lines.push(`${value}\n`);
      }
      return Buffer.from(lines.join(''));
    },
    async send({ body }) {
      if (body.includes('record 2\n')) return { kind: 'refused', reason: 'no such line' };
      const file = await system.disk.open(path, 'a+');
      try {
        await file.write([body], file.statSync().size);
        await file.sync();
      } finally {
        file.closeSync();
      }
      return { kind: 'accepted' };
    },
  }),
};

const PATH = '/lines/all.log';

/** The lines that arrived, each once, in the order in which they first came. */
function arrived({ disk }: SimProcess): string[] {
  const lines = disk.readFileSync(PATH).toString().split('\n');
  return [...new Set(lines.filter((line) => /^record \d+$/.test(line)))];
}

it.each<[string, CrashKind]>([
  ['a kill', 'kill'],
  ['a kill amid a write', 'torn'],
  ['a power cut', 'powerLoss'],
])('a destination of one file has everything, in order, after %s anywhere', async (_name, kind) => {
  let topic = new FakeTopic();
  let dead = new Set<number>();
  const deadLetters = {
    async send({ offset }: { readonly offset: number }) {
      dead.add(offset);
    },
  };
  const bring = async (process: SimProcess) => {
    const context = { system: process, name: 'lines', timeoutMs: 5_000 };
    const destination = append.create({ path: PATH }, context);
    const sender = startSender(process, topic, destination, { deadLetters });
    await sender.drain(topic.end);
    await sender.close();
  };
  const steps = await crashAtEveryStep({
    seed: 21,
    kinds: [kind],
    process: 'sender',
    async prepare(sim) {
      topic = new FakeTopic().fill(8);
      dead = new Set();
      const { disk } = sim.process('sender');
      disk.makeDirectorySync('/lines');
      disk.replaceFileSync(PATH, '');
      disk.syncDirectorySync('/');
    },
    work: bring,
    async check(sim) {
      // A proof may have been lost with the process: more records bring another.
      topic.fill(3);
      const process = sim.process('sender');
      await bring(process);
      const bad = [2, 6];
      const good = topic.records.filter(({ offset }) => !bad.includes(offset));
      expect(arrived(process)).toEqual(good.map(({ value }) => value));
      expect([...dead].toSorted((a, b) => a - b)).toEqual(bad);
      expect(topic.committed).toBe(topic.end);
    },
  });
  expect(steps).toBeGreaterThan(50);
});

it('a destination becomes a sink, with the options that all of them share', async () => {
  const sim = createSimSystem({ seed: 22 });
  const process = sim.process('sink');
  process.disk.makeDirectorySync('/lines');
  const topic = new FakeTopic().fill(2);
  const component = deliverySink(append);
  const shared = ['batch', 'timeout', 'dead_letter', 'dead_letter_limit', 'max_bytes'];
  expect(Object.keys(component.schema.shape)).toEqual(['path', ...shared]);
  expect(component).toMatchObject({ type: 'append', schema: { description: 'Appends lines.' } });
  const options = component.schema.parse({ path: PATH, max_bytes: '1MiB' });
  const arrivals: unknown[] = [];
  const sink = await component.create(options, {
    ...{ system: process, name: 'lines', clientId: 'lines', bootstrap: [], from: 'earliest' },
    ...{ directory: '/data/lines', instance: 'one', acceptGap: false },
    onArrived: (arrival) => arrivals.push(arrival),
  });
  expect(sink.maxBytes).toBe(1024 * 1024);
  const feed = new FakeFeed(process, topic);
  const assignment = { cluster: 'c', topic: 'logs', topicId: TOPIC_ID, partition: 0 };
  const worker = sink.createWorker(assignment, feed);
  startWorker(process, feed, worker);
  await sim.run(worker.drain(topic.end));
  await sim.run(worker.close().then(() => sink.close()));
  expect(arrived(process)).toEqual(['record 0', 'record 1']);
  expect(arrivals).toEqual([{ records: 2, bytes: '\nrecord 0\nrecord 1\n'.length }]);
});
