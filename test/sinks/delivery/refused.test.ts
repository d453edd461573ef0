import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Courier } from '../../../sinks/delivery/courier.js';
import type { Delivery } from '../../../sinks/delivery/index.js';
import { Outbox } from '../../../sinks/delivery/outbox.js';
import { Repeater } from '../../../sinks/delivery/repeater.js';
import { ChunkWriter } from '../../../sinks/spool-format.js';
import { createSimSystem } from '../../../system/sim/index.js';
import { FakeFeed, FakeTopic } from '../fake-topic.js';
import { cursorOver } from '../record-list.js';
import { Collector, FakeDestination, offsetsIn, refused, startSender } from './delivery-world.js';

/** A destination that takes everything but what holds these offsets. */
function refusing(collector: Collector, ...bad: number[]) {
  return (delivery: Delivery) =>
    offsetsIn(delivery).some((offset) => bad.includes(offset)) ? refused : collector.take(delivery);
}

describe('a refused record', () => {
  it('does not keep out one behind it that is larger than a request', async () => {
    const sim = createSimSystem({ seed: 1 });
    const topic = new FakeTopic().fill(1);
    const collector = new Collector();
    const destination = new FakeDestination(sim.process('sender'), refusing(collector, 0));
    const dead: number[] = [];
    const deadLetters = {
      async send({ offset }: { readonly offset: number }) {
        dead.push(offset);
      },
    };
    const setup = { deadLetters, batchBytes: 1_000 };
    const sender = startSender(sim.process('sender'), topic, destination, setup);
    await sim.advance(3_000);
    expect(sender.status.blocked).toContain('offset 0 is refused');
    topic.fill(1);
    const [first, last] = topic.records;
    if (first === undefined || last === undefined) throw new Error('two records were written');
    topic.records.splice(0, 2, first, { ...last, value: 'x'.repeat(200_000) });
    await sim.advance(3_000);
    expect(dead).toEqual([0]);
    expect(collector.offsets).toEqual([1]);
    expect(topic.committed).toBe(topic.end);
    await sim.run(sender.close());
  });

  it('that the dead-letter topic does not take: it says why, and goes there once it does', async () => {
    const sim = createSimSystem({ seed: 2 });
    const topic = new FakeTopic().fill(6);
    const collector = new Collector();
    let isMissing = true;
    const dead: number[] = [];
    const deadLetters = {
      async send({ offset }: { readonly offset: number }) {
        if (isMissing) throw new Error('topic mail-dead: there is none');
        dead.push(offset);
      },
    };
    const process = sim.process('sender');
    const destination = new FakeDestination(process, refusing(collector, 3));
    const sender = startSender(process, topic, destination, { deadLetters, batchRecords: 6 });
    await sim.advance(100_000);
    expect(sender.status.blocked).toContain('offset 3 is refused: because');
    expect(sender.status.blocked).toContain('topic mail-dead: there is none. Create that topic');
    expect(process.problems.list()).toHaveLength(1);
    isMissing = false;
    // Nothing else comes: that the record is at fault is known already.
    await sim.advance(31_000);
    expect(dead).toEqual([3]);
    expect(process.problems.list()).toEqual([]);
    expect(topic.committed).toBe(topic.end);
    await sim.run(sender.close());
  });

  it('leaves nothing behind with the signal that ends its sender', async () => {
    const sim = createSimSystem({ seed: 3 });
    const process = sim.process('sender');
    const topic = new FakeTopic();
    const bad = Array.from({ length: 12 }, (_, i) => i);
    const destination = new FakeDestination(process, refusing(new Collector(), ...bad));
    const records = Array.from({ length: 13 }, (_, i) => ({ value: Buffer.from(`record ${i}`) }));
    const chunk = new ChunkWriter(10_000);
    const cursor = cursorOver(records);
    while (cursor.next()) chunk.append(cursor);
    const courier = new Courier({
      ...{ sink: 'notify', topic: 'mail', topicId: 'id', partition: 0, deadLetterLimit: 100 },
      clock: process.clock,
      destination,
      repeater: new Repeater({ system: process, destination, timeoutMs: 5_000 }),
      outbox: new Outbox(process.disk, '/data', 'mail'),
      feed: new FakeFeed(process, topic),
      deadLetters: { send: async () => undefined },
      onArrived: () => undefined,
    });
    const { signal } = new AbortController();
    const ranges = [{ start: 0, end: 12 }];
    const parcel = {
      format: 'plain',
      from: 0,
      ranges,
      next: 13,
      chunk: chunk.finish(0, 13, 0),
    } as const;
    expect(await sim.run(courier.bring(parcel, signal))).toEqual({ type: 'arrived' });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
