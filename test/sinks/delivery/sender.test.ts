import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../../sinks/delivery/index.js';
import { Repeater } from '../../../sinks/delivery/repeater.js';
import {
  type CrashKind,
  crashAtEveryStep,
  createSimSystem,
  type SimProcess,
} from '../../../system/sim/index.js';
import { FakeTopic } from '../fake-topic.js';
import {
  type Answer,
  Collector,
  denied,
  FakeDestination,
  offsetsIn,
  refused,
  type SenderSetup,
  startSender,
  TOPIC_ID,
  unavailable,
} from './delivery-world.js';

const KEY = `notify.${TOPIC_ID}.0`;

type Respond = (delivery: Delivery) => Answer;

/** Sends a topic of eight records to a destination, to the end. */
async function sendAll(
  respond: (collector: Collector) => Respond,
  setup: SenderSetup = {},
): Promise<{ collector: Collector; topic: FakeTopic; process: SimProcess; tookMs: number }> {
  const sim = createSimSystem({ seed: 1 });
  const topic = new FakeTopic().fill(8);
  const collector = new Collector();
  const process = sim.process('sender');
  const destination = new FakeDestination(process, respond(collector));
  const sender = startSender(process, topic, destination, setup);
  await sim.run(sender.drain(topic.end), { limitMs: 7_200_000 });
  await sim.run(sender.close());
  return { collector, topic, process, tookMs: sim.now };
}

const accepting =
  (collector: Collector): Respond =>
  (delivery) =>
    collector.take(delivery);

/** Answers the first requests one after the other, then accepts. */
const scripted =
  (...script: Answer[]) =>
  (collector: Collector): Respond =>
  (delivery) => {
    const next = script.shift();
    if (next === undefined || next === 'lost') collector.take(delivery);
    return next ?? { kind: 'accepted' };
  };

describe('requests', () => {
  it('hold what was cut, with a key that names their boundaries', async () => {
    const { collector, topic } = await sendAll(accepting);
    expect(collector.offsets).toEqual(topic.records.map(({ offset }) => offset));
    const [first] = collector.deliveries;
    expect(first).toMatchObject({ key: `${KEY}.0-2`, format: 'plain' });
    expect(first?.body.toString()).toBe('plain\n0 record 0\n1 record 1\n2 record 2\n');
    expect(topic.committed).toBe(topic.end);
  });
});

describe('only what is accepted is done', () => {
  it.each<[string, Answer]>([
    ['unavailable', unavailable],
    ['unavailable for a while', { ...unavailable, retryAfterMs: 7_000 }],
    ['an answer that is lost', 'lost'],
    ['a destination that hangs', 'hang'],
  ])('%s is repeated with the same key and body', async (_name, first) => {
    const requests: string[] = [];
    const respond = scripted(first);
    const { collector, topic } = await sendAll((to) => {
      const inner = respond(to);
      return (delivery) => {
        requests.push(`${delivery.key} ${delivery.body}`);
        return inner(delivery);
      };
    });
    expect(requests[1]).toBe(requests[0]);
    expect(collector.offsets).toEqual(topic.records.map(({ offset }) => offset));
  });

  it('waits as long as the destination asks', async () => {
    const { tookMs } = await sendAll(scripted({ ...unavailable, retryAfterMs: 90_000 }));
    expect(tookMs).toBeGreaterThan(90_000);
    expect(tookMs).toBeLessThan(95_000);
  });

  it.each([0, undefined])('backs off all the same where it asks for %s', async (retryAfterMs) => {
    const sim = createSimSystem({ seed: 8 });
    let requests = 0;
    const process = sim.process('sender');
    const destination = new FakeDestination(process, () => {
      requests += 1;
      return { ...unavailable, retryAfterMs };
    });
    const sender = startSender(process, new FakeTopic().fill(3), destination);
    await sim.advance(120_000);
    expect(requests).toBeGreaterThan(5);
    expect(requests).toBeLessThan(15);
    expect(process.logLines[0]?.message).toContain('the collector does not take records now');
    await sim.run(sender.close());
  });

  it('begins again with a short wait once something was accepted', async () => {
    const sim = createSimSystem({ seed: 15 });
    const process = sim.process('sender');
    const times: number[] = [];
    // Ten failures, a success, a failure.
    const destination = new FakeDestination(process, () => {
      times.push(sim.now);
      return times.length === 11 || times.length > 12 ? { kind: 'accepted' } : unavailable;
    });
    const topic = new FakeTopic().fill(6);
    const sender = startSender(process, topic, destination);
    await sim.run(sender.drain(topic.end));
    await sim.run(sender.close());
    const waits = times.slice(1).map((at, i) => at - (times[i] ?? 0));
    expect(waits[9]).toBeGreaterThan(20_000);
    expect(waits[11]).toBeLessThan(1_000);
  });

  it('stops at once, whatever a destination does with the signal', async () => {
    const sim = createSimSystem({ seed: 13 });
    const process = sim.process('sender');
    const destination = new FakeDestination(process, () => 'hang');
    const sender = startSender(process, new FakeTopic().fill(3), destination);
    await sim.advance(1_000);
    const before = sim.now;
    await sim.run(sender.close());
    expect(sim.now - before).toBeLessThan(1_000);
  });

  it('what is denied blocks, says so, and commits nothing', async () => {
    const sim = createSimSystem({ seed: 2 });
    const topic = new FakeTopic().fill(8);
    const collector = new Collector();
    let isMended = false;
    const process = sim.process('sender');
    const destination = new FakeDestination(process, (delivery) =>
      isMended ? collector.take(delivery) : denied,
    );
    const sender = startSender(process, topic, destination);
    await sim.advance(50_000);
    expect(sender.status.blocked).toContain('nobody may');
    expect(process.logLines.some(({ level }) => level === 'error')).toBe(true);
    expect(topic.committed).toBe(0);
    isMended = true;
    await sim.run(sender.drain(topic.end));
    expect(sender.status.blocked).toBeUndefined();
    expect(collector.offsets).toEqual(topic.records.map(({ offset }) => offset));
    await sim.run(sender.close());
  });

  it('has one back-off for all partitions of a destination', async () => {
    const sim = createSimSystem({ seed: 3 });
    const times: number[] = [];
    const process = sim.process('sender');
    const destination = new FakeDestination(process, () => {
      times.push(sim.now);
      return times.length === 1 ? { ...unavailable, retryAfterMs: 60_000 } : { kind: 'accepted' };
    });
    const repeater = new Repeater({ system: process, destination, timeoutMs: 5_000 });
    const first = startSender(process, new FakeTopic().fill(3), destination, { repeater });
    await sim.advance(5_000);
    const topic = new FakeTopic().fill(3);
    const second = startSender(process, topic, destination, { repeater, partition: 1 });
    await sim.run(Promise.all([first.drain(3), second.drain(3)]));
    expect(times.length).toBe(3);
    expect(times[1]).toBeGreaterThan(60_000);
  });
});

describe('the format of a cut', () => {
  it.each([
    ['stays, where the options are others after a restart', ['other', 'plain'], 'plain'],
    ['that a destination does not know: the records are cut anew', ['other'], 'other'],
  ])('%s', async (_name, formats, expected) => {
    const sim = createSimSystem({ seed: 14 });
    const topic = new FakeTopic().fill(3);
    const bodies: string[] = [];
    const before = new FakeDestination(sim.process('sender'), () => unavailable);
    startSender(sim.process('sender'), topic, before);
    await sim.advance(5_000);
    sim.process('sender').kill();
    const process = sim.process('sender');
    const after = new FakeDestination(process, ({ format, body }) => {
      bodies.push(`${format}: ${body}`);
      return { kind: 'accepted' };
    });
    after.formats.splice(0, 1, ...formats);
    const sender = startSender(process, topic, after);
    await sim.run(sender.drain(topic.end));
    await sim.run(sender.close());
    const body = `${expected}\n0 record 0\n1 record 1\n2 record 2\n`;
    expect(bodies).toEqual([`${expected}: ${body}`]);
    expect(topic.committed).toBe(topic.end);
  });
});

describe('a refused record', () => {
  const refusing =
    (collector: Collector): Respond =>
    (delivery) =>
      offsetsIn(delivery).includes(4) ? refused : collector.take(delivery);

  it('is found by halves and goes to the dead letters, alone', async () => {
    const dead: [number, string][] = [];
    const { collector, topic } = await sendAll(refusing, {
      batchRecords: 8,
      deadLetters: {
        async send(record, { reason }) {
          dead.push([record.offset, reason]);
        },
      },
    });
    expect(dead).toEqual([[4, 'because']]);
    expect(collector.offsets).toEqual(
      topic.records.map(({ offset }) => offset).filter((offset) => offset !== 4),
    );
    expect(topic.committed).toBe(topic.end);
  });

  it('blocks where there are no dead letters, after what stands before it', async () => {
    const sim = createSimSystem({ seed: 4 });
    const topic = new FakeTopic().fill(8);
    const collector = new Collector();
    const process = sim.process('sender');
    const destination = new FakeDestination(process, refusing(collector));
    const sender = startSender(process, topic, destination, { batchRecords: 8 });
    await sim.advance(100_000);
    expect(sender.status.blocked).toContain('offset 4 is refused');
    expect(collector.offsets).toEqual([0, 1, 2, 3]);
    expect(topic.committed).toBe(4);
    await sim.run(sender.close());
  });
});

describe('a destination that refuses everything', () => {
  const dead: number[] = [];
  const deadLetters: SenderSetup['deadLetters'] = {
    async send({ offset }) {
      dead.push(offset);
    },
  };

  it('sends nothing to the dead letters', async () => {
    dead.length = 0;
    const sim = createSimSystem({ seed: 9 });
    const topic = new FakeTopic().fill(40);
    const collector = new Collector();
    let isMended = false;
    let requests = 0;
    const process = sim.process('sender');
    const destination = new FakeDestination(process, (delivery) => {
      requests += 1;
      return isMended ? collector.take(delivery) : refused;
    });
    const sender = startSender(process, topic, destination, { batchRecords: 32, deadLetters });
    await sim.advance(300_000);
    expect(dead).toEqual([]);
    expect(requests).toBeLessThan(150);
    expect(topic.committed).toBe(0);
    expect(sender.status.blocked).toContain('because');
    expect(process.problems.list()).toHaveLength(1);
    isMended = true;
    await sim.run(sender.drain(topic.end));
    expect(dead).toEqual([]);
    expect(sender.status.blocked).toBeUndefined();
    expect(process.problems.list()).toEqual([]);
    expect(collector.offsets).toEqual(topic.records.map(({ offset }) => offset));
    await sim.run(sender.close());
  });

  it.each([1, 2, 3])('refuses everything for a while, batches of %i', async (batchRecords) => {
    dead.length = 0;
    const sim = createSimSystem({ seed: 10 });
    const topic = new FakeTopic().fill(30);
    const collector = new Collector();
    const process = sim.process('sender');
    const destination = new FakeDestination(process, (delivery) => {
      const isBad = offsetsIn(delivery).includes(9);
      return isBad || (sim.now > 100 && sim.now < 95_000) ? refused : collector.take(delivery);
    });
    const sender = startSender(process, topic, destination, { batchRecords, deadLetters });
    await sim.run(sender.drain(topic.end));
    expect(dead).toEqual([9]);
    const others = topic.records.map(({ offset }) => offset).filter((offset) => offset !== 9);
    expect(collector.offsets.toSorted((a, b) => a - b)).toEqual(others);
    expect(topic.committed).toBe(topic.end);
    await sim.run(sender.close());
  });
});

describe('a refused record that nothing follows', () => {
  it('waits for another one to tell whose fault it is, also over a restart', async () => {
    const sim = createSimSystem({ seed: 11 });
    const topic = new FakeTopic().fill(1);
    const collector = new Collector();
    let requests = 0;
    const respond = (delivery: Delivery) => {
      requests += 1;
      return offsetsIn(delivery).includes(0) ? refused : collector.take(delivery);
    };
    const start = () => {
      const process = sim.process('sender');
      return startSender(process, topic, new FakeDestination(process, respond), { deadLetters });
    };
    const dead: number[] = [];
    const deadLetters: SenderSetup['deadLetters'] = {
      async send({ offset }) {
        dead.push(offset);
      },
    };
    const first = start();
    await sim.advance(100_000);
    expect(first.status.blocked).toContain('offset 0 is refused');
    expect(dead).toEqual([]);
    expect(requests).toBeLessThan(6);
    sim.process('sender').kill();
    const second = start();
    await sim.advance(10_000);
    expect(dead).toEqual([]);
    topic.fill(2);
    await sim.run(second.drain(topic.end));
    expect(dead).toEqual([0]);
    expect(collector.offsets).toEqual([1, 2]);
    expect(topic.committed).toBe(topic.end);
    await sim.run(second.close());
  });
});

describe('retention', () => {
  it('that has passed what was to be sent blocks until a person accepts it', async () => {
    const sim = createSimSystem({ seed: 5 });
    const topic = new FakeTopic().fill(8);
    topic.committed = 0;
    topic.removeBefore(4);
    const collector = new Collector();
    const process = sim.process('sender');
    const destination = new FakeDestination(process, accepting(collector));
    const sender = startSender(process, topic, destination);
    await sim.advance(5_000);
    expect(sender.status.blocked).toContain('retention has removed offsets 0 to 3');
    await sim.run(sender.close());
    const accepting2 = startSender(process, topic, destination, { acceptGap: true });
    await sim.run(accepting2.drain(topic.end));
    expect(collector.offsets).toEqual([4, 6, 7, 8]);
    await sim.run(accepting2.close());
  });
});

describe('after a crash at any step', () => {
  it.each<[string, readonly CrashKind[], number]>([
    ['a kill', ['kill', 'torn'], 3],
    ['a power cut', ['powerLoss'], 3],
    ['a kill, and other batches', ['kill'], 5],
  ])('%s: keys come back with their bodies, and nothing is lost', async (_name, kinds, records) => {
    let topic = new FakeTopic();
    let collector = new Collector();
    const start = (process: SimProcess, setup: SenderSetup = {}) => {
      const destination = new FakeDestination(process, (delivery) => {
        const offsets = offsetsIn(delivery);
        // One record is refused, so that a division is crashed as well.
        return offsets.length > 1 && offsets.includes(4) ? refused : collector.take(delivery);
      });
      return startSender(process, topic, destination, setup);
    };
    const steps = await crashAtEveryStep({
      seed: 7,
      kinds,
      process: 'sender',
      async prepare() {
        topic = new FakeTopic().fill(8);
        collector = new Collector();
      },
      async work(process) {
        const sender = start(process);
        await sender.drain(topic.end);
        await sender.close();
      },
      async check(sim) {
        const sender = start(sim.process('sender'), { batchRecords: records });
        await sender.drain(topic.end);
        await sender.close();
        expect(collector.offsets).toEqual(topic.records.map(({ offset }) => offset));
        expect(topic.committed).toBe(topic.end);
      },
    });
    expect(steps).toBeGreaterThan(10);
  });

  it('a kill: only the record at fault goes to the dead letters', async () => {
    let topic = new FakeTopic();
    let collector = new Collector();
    let dead = new Set<number>();
    const deadLetters: SenderSetup['deadLetters'] = {
      async send({ offset }) {
        dead.add(offset);
      },
    };
    const start = (process: SimProcess) => {
      const destination = new FakeDestination(process, (delivery) =>
        offsetsIn(delivery).includes(2) ? refused : collector.take(delivery),
      );
      return startSender(process, topic, destination, { deadLetters });
    };
    await crashAtEveryStep({
      seed: 12,
      kinds: ['kill'],
      process: 'sender',
      async prepare() {
        topic = new FakeTopic().fill(8);
        collector = new Collector();
        dead = new Set();
      },
      async work(process) {
        const sender = start(process);
        await sender.drain(topic.end);
        await sender.close();
      },
      async check(sim) {
        // A proof may have been lost with the process: more records bring another.
        topic.fill(3);
        const sender = start(sim.process('sender'));
        await sender.drain(topic.end);
        await sender.close();
        const sent = new Set([...collector.offsets, ...dead]);
        expect([...sent].toSorted((a, b) => a - b)).toEqual(topic.records.map((r) => r.offset));
        expect([...dead]).toEqual([2]);
        expect(topic.committed).toBe(topic.end);
      },
    });
  });
});
