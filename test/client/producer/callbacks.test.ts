import { describe, expect, it } from 'vitest';
import { Producer, type ProducerOptions } from '../../../client/producer/index.js';
import { jsonType, stringType, ValueTypes } from '../../../client/values/index.js';
import { ErrorCode } from '../../../protocol/index.js';
import { createSimSystem } from '../../../system/sim/index.js';
import { FakeBroker, type FakeBrokerOptions } from './fake-broker.js';

/** A producer whose application misbehaves, and what it was told of that. */
async function world(
  options: Partial<ProducerOptions> = {},
  brokerOptions: Partial<FakeBrokerOptions> = {},
) {
  const sim = createSimSystem({ seed: 1 });
  const broker = await sim.run(
    FakeBroker.listen(sim.process('broker').net, { topics: { t: 1, u: 1 }, ...brokerOptions }),
  );
  const client = sim.process('client');
  const producer = new Producer({ bootstrap: ['127.0.0.1:9092'], ...options }, client);
  const reports: string[] = [];
  producer.on('callbackError', ({ where, error }) => {
    reports.push(`${where}: ${error instanceof Error ? error.message : String(error)}`);
  });
  return { sim, broker, client, producer, reports };
}

const boom = (): never => {
  throw new Error('boom');
};

describe('a callback that throws', () => {
  it('of onDone or of send keeps neither the others of its batch nor close', async () => {
    const { sim, broker, producer, reports } = await world({ lingerMs: 5 });
    const bytes = Buffer.from('x');
    await sim.run(producer.send({ topic: 't', value: 'first' }));
    const ends: string[] = [];
    await sim.run(
      (async () => {
        const ticket = producer.append(
          producer.target('t', null),
          1,
          null,
          0,
          0,
          bytes,
          0,
          1,
          null,
        );
        producer.send({ topic: 't', value: 'a' }, boom);
        const sent = producer.send({ topic: 't', value: 'b' }).then(() => ends.push('sent'));
        producer.send([{ topic: 't', value: 'c' }], () => void ends.push('called'));
        ticket?.onDone(boom);
        ticket?.onDone(() => ends.push('done'));
        await Promise.all([producer.flush(), sent]);
        // The batch is over: it is called at once, and does not throw into the caller.
        ticket?.onDone(boom);
        await producer.close({ timeoutMs: 1000 });
      })(),
    );
    expect(ends.sort()).toEqual(['called', 'done', 'sent']);
    expect(broker.values('t')).toEqual(['first', 'x', 'a', 'b', 'c']);
    expect(reports.sort()).toEqual([
      'the callback of onDone: boom',
      'the callback of onDone: boom',
      'the callback of send: boom',
    ]);
  });

  it('keeps nobody whose records fail with it, wait for a topic, or are given up', async () => {
    const { sim, producer, reports } = await world({ maxBlockMs: 500 });
    const settled: string[] = [];
    const note = (name: string) => () => void settled.push(name);
    producer.send({ topic: 'late', value: 'x' }, boom);
    producer.send({ topic: 'late', value: 'y' }, note('late'));
    producer.send({ topic: 't', value: 'z', partition: 9 }, boom);
    producer.send({ topic: 't', value: 'fine' }, note('fine'));
    await sim.advance(2000);
    expect(settled.sort()).toEqual(['fine', 'late']);
    producer.send({ topic: 'late', value: 'x' }, boom);
    const last = producer.send({ topic: 'late', value: 'y' }).catch(note('closed'));
    await sim.run(producer.close({ timeoutMs: 10 }));
    await last;
    expect(settled).toContain('closed');
    expect(reports).toEqual(Array(3).fill('the callback of send: boom'));
  });

  it('an interceptor, a partitioner, a value type: their own record fails, or passes', async () => {
    const values = new ValueTypes([
      { ...jsonType, name: 'bad', matches: (value) => value === 'bad', encode: boom },
      stringType,
    ]);
    let partitioned = 0;
    const { sim, broker, producer, reports } = await world({
      values,
      partitioner: () => (++partitioned === 2 ? boom() : 0),
      interceptors: [
        { name: 'a', onSend: boom, onAcknowledgement: boom, configure: boom, close: boom },
        { name: 'b', onSend: (async (record: never) => record) as never },
        { name: 'c', onAcknowledgement: (async () => boom()) as never },
      ],
    });
    const list = ['one', 'two', 'bad', 'three'].map((value) => ({ topic: 't', value }));
    const error = await sim.run(producer.send(list).catch((reason: unknown) => reason));
    expect(error).toMatchObject({ delivered: [{ offset: 0 }, { offset: 1 }] });
    expect(error).toMatchObject({
      failures: [
        { record: { value: 'two' }, reason: { message: 'boom' } },
        { record: { value: 'bad' }, reason: { message: 'boom' } },
      ],
    });
    await sim.run(producer.close({ timeoutMs: 1000 }));
    expect(broker.values('t')).toEqual(['one', 'three']);
    expect(reports).toContain('onAcknowledgement of the interceptor a: boom');
    expect(reports).toContain('onAcknowledgement of the interceptor c: boom');
    expect(reports).toContain('close of the interceptor a: boom');
    expect(
      reports.filter((each) => /onSend of .* b: onSend returned a promise/.test(each)),
    ).toHaveLength(4);
  });

  it('a listener: others hear the event, and the client goes on', async () => {
    const { sim, broker, producer, reports } = await world({ retryBackoffMs: 10 });
    const heard: string[] = [];
    for (const name of ['connected', 'brokerLost', 'recovered', 'stopped'] as const) {
      producer.once(name, boom);
      producer.on(name, () => heard.push(name));
    }
    await sim.run(producer.send({ topic: 't', value: 'a' }));
    broker.hangUp();
    await sim.run(producer.send({ topic: 't', value: 'b' }));
    await sim.run(producer.close({ timeoutMs: 1000 }));
    expect(heard).toEqual(['connected', 'brokerLost', 'recovered', 'stopped']);
    expect(reports.map((each) => each.split(':')[0])).toEqual(
      heard.map((name) => `a listener of ${name}`),
    );
  });

  it('is in the log where nobody listens, and where the listener throws too', async () => {
    const { sim, client, producer } = await world();
    producer.removeAllListeners('callbackError');
    const said = () => client.logLines.map(({ message }) => message);
    producer.send({ topic: 't', value: 'a' }, boom);
    await sim.run(producer.flush());
    expect(said()).toEqual(['the callback of send has thrown; everything else goes on']);
    producer.on('callbackError', boom);
    producer.send({ topic: 't', value: 'a' }, (async () => boom()) as never);
    await sim.run(producer.flush());
    await sim.run(producer.close());
    expect(said()).toHaveLength(3);
  });

  it('no codec that fails keeps what waits for its batch', async () => {
    const { sim, producer } = await world({ compression: 'zstd', compressionLevel: 22 });
    const gzip = new Producer(
      { bootstrap: ['127.0.0.1:9092'], compression: 'gzip', compressionLevel: 9 },
      sim.process('other'),
    );
    // As a library of the machine might do it.
    Object.assign(Reflect.get(gzip, 'settings'), { compressionLevel: 99 });
    const failed = gzip.send({ topic: 't', value: 'a' }).catch((error: unknown) => error);
    expect(await sim.run(failed)).toMatchObject({
      code: 'BAD_VALUE',
      message: expect.stringMatching(/cannot be compressed with gzip/),
    });
    expect(gzip.usedBytes).toBe(0);
    await sim.run(gzip.close({ timeoutMs: 100 }));
    await sim.run(producer.close({ timeoutMs: 100 }));
  });
});

describe('a callback that calls the producer again', () => {
  it('damages no record: what it sends comes behind the one it was called for', async () => {
    const inner: Promise<unknown>[] = [];
    let producer: Producer | undefined;
    let depth = 0;
    const again = (value: string) => {
      if (depth > 0) return;
      depth++;
      const sent = producer?.send({ topic: 't', key: 'other', value: `inner ${value}` });
      if (sent) inner.push(sent);
      depth--;
    };
    const values = new ValueTypes([
      {
        name: 'text',
        matches: (value): value is string => typeof value === 'string',
        encode: (value: string) => {
          if (!value.startsWith('inner')) again(value);
          return Buffer.from(value);
        },
        decode: String,
      },
    ]);
    const { sim, broker, producer: made } = await world({ values });
    producer = made;
    await sim.run(made.send({ topic: 't', value: null }));
    const list = ['a', 'b'].map((value) => ({ topic: 't', key: `key-${value}`, value }));
    await sim.run(made.send(list));
    await sim.run(Promise.all(inner));
    expect(broker.log('t').map(({ key, value }) => [key, value])).toEqual([
      [null, null],
      ['key-a', 'a'],
      ['key-b', 'b'],
      ['other', 'inner a'],
      ['other', 'inner b'],
    ]);
    await sim.run(made.close());
  });
});

describe('writable', () => {
  it.each([
    ['a topic that the broker refuses', 'bad', ErrorCode.TOPIC_AUTHORIZATION_FAILED],
    ['a topic that is not there', 'missing', ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
  ])('paces who waits for %s', async (_, topic, code) => {
    const { sim, broker, producer } = await world({}, { topicErrors: { [topic]: code } });
    const target = producer.target(topic, null);
    let attempts = 0;
    const bytes = Buffer.from('x');
    const loop = (async () => {
      while (attempts < 10_000) {
        attempts++;
        if (producer.append(target, 1, null, 0, 0, bytes, 0, 1, null) !== null) return;
        await producer.writable();
      }
    })();
    await sim.advance(10_000);
    expect(attempts).toBeGreaterThan(10);
    expect(attempts).toBeLessThan(120);
    expect(broker.metadataRequests).toBeLessThan(40);
    broker.allow(topic);
    await sim.run(loop);
    // A neighbour's topic is not held up by one that is refused.
    expect(attempts).toBeLessThan(250);
    await sim.run(producer.close());
  });

  it('waits for the room that a record larger than a batch needs', async () => {
    const { sim, broker, producer } = await world({
      batchBytes: 10_000,
      maxMemoryBytes: 100_000,
      requestTimeoutMs: 500,
    });
    await sim.run(producer.send({ topic: 't', value: 'x' }));
    broker.script = (_, index) => (index < 5 ? 'hangUp' : 'ok');
    const small = Array.from({ length: 6 }, (_, i) =>
      producer.send({ topic: 't', value: String(i).repeat(9_000) }),
    );
    const large = producer.send({ topic: 't', value: 'x'.repeat(60_000) });
    await sim.run(Promise.all([...small, large]));
    expect(broker.values('t')).toHaveLength(8);
    await sim.run(producer.close());
  });
});
