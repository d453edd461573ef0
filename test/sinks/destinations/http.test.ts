import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Outbox } from '../../../sinks/delivery/outbox.js';
import { httpDestination } from '../../../sinks/destinations/http.js';
import type { HttpResponse } from '../../../system/index.js';
import {
  createSimSystem,
  type Endpoint,
  type ReceivedRequest,
  type SimProcess,
} from '../../../system/sim/index.js';
import { type SenderSetup, startSender, TOPIC_ID } from '../delivery/delivery-world.js';
import { FakeTopic } from '../fake-topic.js';

const ORIGIN = 'http://collector:8080';
const KEY = `notify.${TOPIC_ID}.0`;

interface HttpSetup extends SenderSetup {
  readonly format?: 'json' | 'ndjson' | 'lines';
}

/** The HTTP destination of a process, as its YAML makes it. */
function newDestination(
  system: SimProcess,
  { format = 'json', timeoutMs = 5_000 }: HttpSetup = {},
) {
  const headers = { Authorization: 'Bearer 123' };
  const options = httpDestination.schema.parse({ url: `${ORIGIN}/in?token=1`, format, headers });
  return httpDestination.create(options, { system, name: 'notify', timeoutMs });
}

function answer(status: number, headers: Record<string, string> = {}): HttpResponse {
  return { status, headers, body: Buffer.from(status < 300 ? '' : 'because') };
}

/** The offsets in a JSON body. */
function offsetsIn(request: ReceivedRequest): number[] {
  const records = JSON.parse(request.body.toString()) as { offset: number }[];
  return records.map(({ offset }) => offset);
}

/** An endpoint that honours the idempotency key: what it has taken, once each. */
class Collector {
  readonly requests: ReceivedRequest[] = [];
  readonly #taken = new Map<string, ReceivedRequest>();

  take(request: ReceivedRequest): HttpResponse {
    this.requests.push(request);
    const key = request.headers['idempotency-key'] ?? '';
    const before = this.#taken.get(key);
    if (before !== undefined && !before.body.equals(request.body)) {
      throw new Error(`the key ${key} came back with another body`);
    }
    this.#taken.set(key, request);
    return answer(200);
  }

  /** The offsets of all bodies, in the order in which their keys first came. */
  get offsets(): number[] {
    return [...this.#taken.values()].flatMap(offsetsIn);
  }
}

/** Sends a topic of eight records to an endpoint, to the end. */
async function sendAll(
  endpoint: (collector: Collector) => Endpoint,
  setup: HttpSetup = {},
): Promise<{ collector: Collector; topic: FakeTopic; process: SimProcess; tookMs: number }> {
  const sim = createSimSystem({ seed: 1 });
  const topic = new FakeTopic().fill(8);
  const collector = new Collector();
  sim.web.endpoint(ORIGIN, endpoint(collector));
  const process = sim.process('sender');
  const sender = startSender(process, topic, newDestination(process, setup), setup);
  await sim.run(sender.drain(topic.end), { limitMs: 7_200_000 });
  await sim.run(sender.close());
  return { collector, topic, process, tookMs: sim.now };
}

const accepting =
  (collector: Collector): Endpoint =>
  (request) =>
    collector.take(request);

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
    const process = sim.process('sender');
    const sender = startSender(process, new FakeTopic().fill(3), newDestination(process));
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
        return collector.take(request);
      });
      const process = sim.process('sender');
      const sender = startSender(process, topic, newDestination(process));
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
});

describe('a refused record', () => {
  const refusing =
    (collector: Collector): Endpoint =>
    (request) => {
      if (offsetsIn(request).includes(4)) return answer(422);
      return collector.take(request);
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
      return collector.take(request);
    });
    const process = sim.process('sender');
    const sender = startSender(process, topic, newDestination(process), {
      batchRecords: 32,
      deadLetters,
    });
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
});

interface StoredParcel {
  readonly format: 'json' | 'ndjson' | 'lines';
  /** The file, in base64. */
  readonly parcel: string;
  /** What was sent of it; bodies in base64. */
  readonly requests: readonly {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  }[];
}

describe('parcels that a version before the delivery engine has stored', () => {
  const path = `/data/notify/outbox/mail.${TOPIC_ID}+0.parcel`;
  const file = new URL('parcels-version-1.json', import.meta.url);
  const stored: readonly StoredParcel[] = JSON.parse(readFileSync(file, 'utf8'));

  it.each(stored)('$format: are sent with the same bytes', async ({ parcel, requests }) => {
    const sim = createSimSystem({ seed: 1 });
    const process = sim.process('sender');
    process.disk.makeDirectorySync('/data/notify/outbox');
    process.disk.replaceFileSync(path, Buffer.from(parcel, 'base64'));
    const sent: ReceivedRequest[] = [];
    sim.web.endpoint(ORIGIN, (request) => {
      sent.push(request);
      return answer(200);
    });
    const topic = new FakeTopic();
    topic.committed = 7;
    topic.end = 14;
    // Whatever the options say now.
    const sender = startSender(process, topic, newDestination(process, { format: 'json' }));
    await sim.run(sender.drain(14));
    await sim.run(sender.close());
    const asStored = sent.map(({ method, path: to, headers, body }) => {
      return { method, path: to, headers, body: body.toString('base64') };
    });
    expect(asStored).toEqual(requests);
    // As the older version would list them: their order is on the wire.
    expect(asStored.map(({ headers }) => Object.keys(headers))).toEqual(
      requests.map(({ headers }) => Object.keys(headers)),
    );
    expect(topic.committed).toBe(14);
  });

  it.each(stored)('$format: are stored with the same bytes', async ({ parcel }) => {
    const sim = createSimSystem({ seed: 1 });
    const { disk } = sim.process('sender');
    disk.makeDirectorySync('/data/notify/outbox');
    disk.replaceFileSync(path, Buffer.from(parcel, 'base64'));
    const outbox = new Outbox(disk, '/data/notify/outbox', `mail.${TOPIC_ID}+0`);
    const loaded = await sim.run(outbox.load());
    if (loaded === undefined) throw new Error('the parcel was not read');
    await sim.run(outbox.save(loaded));
    expect(disk.readFileSync(path).toString('base64')).toBe(parcel);
  });
});
