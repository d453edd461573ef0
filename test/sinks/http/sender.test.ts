import { describe, expect, it } from 'vitest';
import {
  type CrashKind,
  crashAtEveryStep,
  createSimSystem,
  type Endpoint,
  type SimProcess,
} from '../../../system/sim/index.js';
import { FakeTopic } from '../fake-topic.js';
import {
  answer,
  Collector,
  newDestination,
  ORIGIN,
  offsetsIn,
  type SenderSetup,
  startSender,
} from './sender-world.js';

const KEY = 'notify.abcdefghijklmnopqrstuv.0';

/** Sends a topic of eight records to an endpoint, to the end. */
async function sendAll(
  endpoint: (collector: Collector) => Endpoint,
  setup: SenderSetup = {},
): Promise<{ collector: Collector; topic: FakeTopic; process: SimProcess; tookMs: number }> {
  const sim = createSimSystem({ seed: 1 });
  const topic = new FakeTopic().fill(8);
  const collector = new Collector();
  sim.web.endpoint(ORIGIN, endpoint(collector));
  const process = sim.process('sender');
  const sender = startSender(process, topic, setup);
  await sim.run(sender.drain(topic.end), { limitMs: 7_200_000 });
  await sim.run(sender.close());
  return { collector, topic, process, tookMs: sim.now };
}

const accepting =
  (collector: Collector): Endpoint =>
  (request) => {
    collector.take(request);
    return answer(200);
  };

/** Answers the first requests one after the other, then accepts. */
const scripted =
  (...script: (ReturnType<typeof answer> | 'lost' | 'hang')[]) =>
  (collector: Collector): Endpoint =>
  (request) => {
    const next = script.shift();
    if (next === undefined || next === 'lost') collector.take(request);
    return next ?? answer(200);
  };

describe('bodies', () => {
  it('are JSON arrays with a key that names their boundaries', async () => {
    const { collector, topic } = await sendAll(accepting);
    expect(collector.offsets).toEqual(topic.records.map(({ offset }) => offset));
    const [first] = collector.requests;
    expect(first?.path).toBe('/in?token=1');
    expect(first?.headers).toMatchObject({
      authorization: 'Bearer 123',
      'content-type': 'application/json',
      'idempotency-key': `${KEY}.0-2`,
    });
    expect(JSON.parse(first?.body.toString() ?? '')[1]).toEqual({
      topic: 'mail',
      partition: 0,
      offset: 1,
      timestamp: 1_767_225_600_000,
      key: 'host:/var/1',
      value: 'record 1',
      headers: [],
    });
    expect(topic.committed).toBe(topic.end);
  });

  it('are one object a line with ndjson, and the values with lines', async () => {
    const ndjson = await sendAll(accepting, { format: 'ndjson' });
    const [first] = ndjson.collector.requests;
    expect(first?.headers['content-type']).toBe('application/x-ndjson');
    const objects = first?.body
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(objects?.map(({ value }) => value)).toEqual(['record 0', 'record 1', 'record 2']);
    const lines = await sendAll(accepting, { format: 'lines' });
    expect(lines.collector.requests[0]?.body.toString()).toBe('record 0\nrecord 1\nrecord 2\n');
  });
});

describe('only 2xx acknowledges', () => {
  it.each([
    ['500', answer(500)],
    ['503 with Retry-After', answer(503, { 'retry-after': '7' })],
    ['429', answer(429)],
    ['an answer that is lost', 'lost' as const],
    ['a destination that hangs', 'hang' as const],
  ])('%s is repeated with the same key and body', async (_name, first) => {
    const requests: string[] = [];
    const endpoint = scripted(first);
    const { collector, topic } = await sendAll((to) => {
      const inner = endpoint(to);
      return (request) => {
        requests.push(`${request.headers['idempotency-key']} ${request.body}`);
        return inner(request);
      };
    });
    expect(requests[1]).toBe(requests[0]);
    expect(collector.offsets).toEqual(topic.records.map(({ offset }) => offset));
  });

  it('waits as long as Retry-After says, in seconds or until a date', async () => {
    const { tookMs } = await sendAll(scripted(answer(429, { 'retry-after': '90' })));
    expect(tookMs).toBeGreaterThan(90_000);
    expect(tookMs).toBeLessThan(95_000);
  });

  it.each<[string, (nowMs: number) => Record<string, string>]>([
    ['0', () => ({ 'retry-after': '0' })],
    ['a date that is past', () => ({ 'retry-after': 'Thu, 01 Jan 1970 00:01:00 GMT' })],
    ['a negative number', () => ({ 'retry-after': '-5' })],
    ['what is no date', () => ({ 'retry-after': 'soon 2090' })],
    ['nothing', () => ({})],
  ])('backs off all the same where Retry-After is %s', async (_name, headers) => {
    const sim = createSimSystem({ seed: 8 });
    let requests = 0;
    sim.web.endpoint(ORIGIN, () => {
      requests += 1;
      return answer(503, headers(sim.now));
    });
    const sender = startSender(sim.process('sender'), new FakeTopic().fill(3));
    await sim.advance(120_000);
    expect(requests).toBeGreaterThan(5);
    expect(requests).toBeLessThan(15);
    await sim.run(sender.close());
  });

  it('waits an hour at most, and reads a date by the clock of who sent it', async () => {
    const huge = await sendAll(scripted(answer(503, { 'retry-after': '9'.repeat(400) })));
    expect(huge.tookMs).toBeGreaterThan(3_590_000);
    expect(huge.tookMs).toBeLessThan(3_700_000);
    const date = 'Tue, 15 Nov 1994 08:12:31 GMT';
    const dated = { 'retry-after': 'Tue, 15 Nov 1994 08:14:01 GMT', date };
    const { tookMs } = await sendAll(scripted(answer(503, dated)));
    expect(tookMs).toBeGreaterThan(90_000);
    expect(tookMs).toBeLessThan(95_000);
  });

  it.each([401, 403, 404, 302, 402, 405, 406, 410, 411, 415, 417, 421, 426, 428, 431, 451])(
    '%i blocks, says so, and commits nothing',
    async (status) => {
      const sim = createSimSystem({ seed: 2 });
      const topic = new FakeTopic().fill(8);
      const collector = new Collector();
      let isMended = false;
      sim.web.endpoint(ORIGIN, (request) => {
        if (!isMended) return answer(status);
        collector.take(request);
        return answer(200);
      });
      const process = sim.process('sender');
      const sender = startSender(process, topic);
      await sim.advance(50_000);
      expect(sender.status.blocked).toContain(`answered ${status}`);
      expect(process.logLines.some(({ level }) => level === 'error')).toBe(true);
      expect(JSON.stringify(process.logLines)).not.toContain('token=1');
      expect(topic.committed).toBe(0);
      isMended = true;
      await sim.run(sender.drain(topic.end));
      expect(sender.status.blocked).toBeUndefined();
      expect(collector.offsets).toEqual(topic.records.map(({ offset }) => offset));
      await sim.run(sender.close());
    },
  );

  it('has one backoff for all partitions of a destination', async () => {
    const sim = createSimSystem({ seed: 3 });
    const times: number[] = [];
    sim.web.endpoint(ORIGIN, () => {
      times.push(sim.now);
      return times.length === 1 ? answer(503, { 'retry-after': '60' }) : answer(200);
    });
    const process = sim.process('sender');
    const destination = newDestination(process);
    const first = startSender(process, new FakeTopic().fill(3), { destination });
    await sim.advance(5_000);
    const topic = new FakeTopic().fill(3);
    const second = startSender(process, topic, { destination, partition: 1 });
    await sim.run(Promise.all([first.drain(3), second.drain(3)]));
    expect(times.length).toBe(3);
    expect(times[1]).toBeGreaterThan(60_000);
  });
});

describe('a refused record', () => {
  const refusing =
    (collector: Collector): Endpoint =>
    (request) => {
      if (offsetsIn(request).includes(4)) return answer(422);
      collector.take(request);
      return answer(200);
    };

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
    expect(dead).toEqual([[4, 'http://collector:8080/in answered 422: because']]);
    expect(collector.offsets).toEqual(
      topic.records.map(({ offset }) => offset).filter((offset) => offset !== 4),
    );
    expect(topic.committed).toBe(topic.end);
  });

  it('blocks where there are no dead letters, after what stands before it', async () => {
    const sim = createSimSystem({ seed: 4 });
    const topic = new FakeTopic().fill(8);
    const collector = new Collector();
    sim.web.endpoint(ORIGIN, refusing(collector));
    const sender = startSender(sim.process('sender'), topic, { batchRecords: 8 });
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

  it.each([400, 409, 410, 415, 422])('%i sends nothing to the dead letters', async (status) => {
    dead.length = 0;
    const sim = createSimSystem({ seed: 9 });
    const topic = new FakeTopic().fill(40);
    const collector = new Collector();
    let isMended = false;
    let requests = 0;
    sim.web.endpoint(ORIGIN, (request) => {
      requests += 1;
      if (!isMended) return answer(status);
      collector.take(request);
      return answer(200);
    });
    const process = sim.process('sender');
    const sender = startSender(process, topic, { batchRecords: 32, deadLetters });
    await sim.advance(300_000);
    expect(dead).toEqual([]);
    expect(requests).toBeLessThan(150);
    expect(topic.committed).toBe(0);
    expect(sender.status.blocked).toContain(`answered ${status}`);
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
    sim.web.endpoint(ORIGIN, (request) => {
      const isBad = offsetsIn(request).includes(9);
      if (isBad || (sim.now > 100 && sim.now < 95_000)) return answer(400);
      collector.take(request);
      return answer(200);
    });
    const sender = startSender(sim.process('sender'), topic, { batchRecords, deadLetters });
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
    sim.web.endpoint(ORIGIN, (request) => {
      requests += 1;
      if (offsetsIn(request).includes(0)) return answer(400);
      collector.take(request);
      return answer(200);
    });
    const dead: number[] = [];
    const deadLetters: SenderSetup['deadLetters'] = {
      async send({ offset }) {
        dead.push(offset);
      },
    };
    const first = startSender(sim.process('sender'), topic, { deadLetters });
    await sim.advance(100_000);
    expect(first.status.blocked).toContain('offset 0 is refused');
    expect(dead).toEqual([]);
    expect(requests).toBeLessThan(6);
    sim.process('sender').kill();
    const second = startSender(sim.process('sender'), topic, { deadLetters });
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
    sim.web.endpoint(ORIGIN, accepting(collector));
    const process = sim.process('sender');
    const sender = startSender(process, topic);
    await sim.advance(5_000);
    expect(sender.status.blocked).toContain('retention has removed offsets 0 to 3');
    await sim.run(sender.close());
    const accepting2 = startSender(process, topic, { acceptGap: true });
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
    const steps = await crashAtEveryStep({
      seed: 7,
      kinds,
      process: 'sender',
      async prepare(sim) {
        topic = new FakeTopic().fill(8);
        collector = new Collector();
        sim.web.endpoint(ORIGIN, (request) => {
          // One record is refused, so that a division is crashed as well.
          if (offsetsIn(request).length > 1 && offsetsIn(request).includes(4)) return answer(400);
          collector.take(request);
          return answer(200);
        });
      },
      async work(process) {
        const sender = startSender(process, topic);
        await sender.drain(topic.end);
        await sender.close();
      },
      async check(sim) {
        const process = sim.process('sender');
        const sender = startSender(process, topic, { batchRecords: records });
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
    const setup: SenderSetup = {
      deadLetters: {
        async send({ offset }) {
          dead.add(offset);
        },
      },
    };
    await crashAtEveryStep({
      seed: 12,
      kinds: ['kill'],
      process: 'sender',
      async prepare(sim) {
        topic = new FakeTopic().fill(8);
        collector = new Collector();
        dead = new Set();
        sim.web.endpoint(ORIGIN, (request) => {
          if (offsetsIn(request).includes(2)) return answer(400);
          collector.take(request);
          return answer(200);
        });
      },
      async work(process) {
        const sender = startSender(process, topic, setup);
        await sender.drain(topic.end);
        await sender.close();
      },
      async check(sim) {
        // A proof may have been lost with the process: more records bring another.
        topic.fill(3);
        const sender = startSender(sim.process('sender'), topic, setup);
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
