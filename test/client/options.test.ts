import { describe, expect, it } from 'vitest';
import { Broker } from '../../broker/index.js';
import { Admin } from '../../client/admin/index.js';
import { Consumer } from '../../client/consumer/index.js';
import { ClientError, Cluster, ValueTypes } from '../../client/index.js';
import { Producer } from '../../client/producer/index.js';
import { createSimSystem } from '../../system/sim/index.js';

const system = createSimSystem({ seed: 1 }).process('app');
const bootstrap = ['127.0.0.1:9092'];
const producer = new Producer({ bootstrap, maxBlockMs: 0 }, system);
const consumer = new Consumer({ bootstrap, groupId: 'g' }, system);
const admin = new Admin({ bootstrap }, system);

type Call = (options: never) => unknown;
const newProducer: Call = (options) => new Producer(options, system);
const newConsumer: Call = (options) => new Consumer(options, system);
const newAdmin: Call = (options) => new Admin(options, system);
const send: Call = (record) => producer.send(record);
const subscribe: Call = (options) => consumer.subscribe(options);
const run: Call = (options) => consumer.run(options);
const assign: Call = (options) => consumer.assign(options);
const at = { topic: 't', partition: 0 };

/** What is done wrong, and what a person is told. */
const cases: [string, Call, unknown, RegExp][] = [
  ['no options', newProducer, undefined, /^producer takes an object of options, not undefined$/],
  ['kafkajs’ brokers', newProducer, { brokers: bootstrap }, /no option brokers; .* bootstrap$/],
  ['Java’s name', newConsumer, { 'bootstrap.servers': 'a' }, /here it is called bootstrap$/],
  ['Java’s spelling of ours', newConsumer, { bootstrap, 'group.id': 'g' }, /called groupId$/],
  ['no bootstrap', newAdmin, {}, /^admin: bootstrap is missing$/],
  [
    'a text as bootstrap',
    newProducer,
    { bootstrap: 'a:1, b:2' },
    /bootstrap is a list .* write bootstrap: \['a:1', 'b:2'\]$/,
  ],
  ['a number in it', newProducer, { bootstrap: [9092] }, /bootstrap\[0\] must be a text/],
  ['a slip', newProducer, { bootstrap, lingerMS: 5 }, /called lingerMs$/],
  ['a worse slip', newProducer, { bootstrap, lingrMs: 5 }, /did you mean "lingerMs"\?$/],
  ['another unit', newProducer, { bootstrap, 'linger.ms': 5 }, /called lingerMs$/],
  ['a security that is not there', newProducer, { bootstrap, ssl: true }, /TLS and SASL are not/],
  ['a wrong type', newProducer, { bootstrap, lingerMs: '5' }, /lingerMs must be .* not '5'$/],
  ['no number', newProducer, { bootstrap, batchBytes: Number.NaN }, /batchBytes must be/],
  ['a codec', newProducer, { bootstrap, compression: 'gz' }, /'none', 'gzip', .* not 'gz'$/],
  ['gzip’s level', newProducer, { bootstrap, compression: 'gzip', compressionLevel: 12 }, /9 at/],
  ['acks', newProducer, { bootstrap, acks: -1 }, /acks must be 'all', 1, 0, not -1$/],
  ['a class too few', newProducer, { bootstrap, values: {} }, /values must be a ValueTypes/],
  ['kafkajs’ session', newConsumer, { bootstrap, sessionTimeout: 1 }, /called sessionTimeoutMs$/],
  ['fromBeginning', newConsumer, { bootstrap, fromBeginning: true }, /autoOffsetReset: 'earliest'/],
  [
    'a wrong reset',
    newConsumer,
    { bootstrap, autoOffsetReset: 'smallest' },
    /autoOffsetReset must/,
  ],
  ['a bool as text', newConsumer, { bootstrap, autoCommit: 'false' }, /true or false, not 'false'/],
  ['a prototype’s name', newConsumer, { bootstrap, constructor: 1 }, /no option constructor/],
  ['a cluster of a text', (o) => new Cluster(system, o), { bootstrap: 'a' }, /bootstrap: \['a'\]/],
  ['kafkajs’ send', send, { topic: 't', messages: [{ value: 'a' }] }, /send takes a record or a/],
  ['a slip in a record', send, { topic: 't', vaule: 'a' }, /did you mean "value"\?$/],
  ['no value', send, { topic: 't' }, /value is missing; null writes/],
  ['an undefined value', send, { topic: 't', value: undefined }, /value is missing/],
  ['no topic', send, { value: 'a' }, /topic is missing/],
  ['a topic of a number', send, { topic: 5, value: 'a' }, /topic must be a text/],
  ['a text instead', send, 't', /a record to send takes an object of options, not 't'/],
  ['nothing', send, undefined, /a record to send takes an object/],
  ['a list of lists', send, [[{ topic: 't', value: 'a' }]], /a list of records, not of lists/],
  ['a later one', send, [{ topic: 't', value: 'a' }, { topic: 't' }], /value is missing/],
  ['a date', send, { topic: 't', value: 'a', timestamp: new Date(0) }, /timestamp \(milliseconds/],
  ['a partition of a text', send, { topic: 't', value: 'a', partition: '0' }, /partition must be/],
  ['a topic alone', subscribe, { topic: 't', fromBeginning: true }, /topic; here .* topics$/],
  ['a list', subscribe, ['t'], /subscribe takes an object of options, not a list/],
  ['no topics', subscribe, { topics: [] }, /topics must name at least one/],
  ['topics as a text', subscribe, { topics: 't' }, /topics must be a list, not 't'/],
  ['kafkajs’ handler', run, { eachMessage: () => {} }, /eachMessage; here it is called onMessage/],
  ['kafkajs’ batches', run, { eachBatch: () => {} }, /for await \(const batch of consumer\.bat/],
  ['a function alone', run, () => {}, /run takes an object of options, not a function/],
  ['no handler', run, {}, /onMessage is missing/],
  ['streams', run, { onMessage: () => {}, streams: 0 }, /streams must be a whole number from 1/],
  ['kafkajs’ offset', assign, [{ ...at, offset: 5 }], /\[0\] is not right: .* no option offset/],
  ['a text as position', assign, [{ ...at, position: '5' }], /position must be an offset/],
  ['an object', assign, at, /the partitions of assign must be a list/],
  ['seek', (p) => consumer.seek(p, 0), { topic: 't' }, /partition is missing/],
  ['a negative seek', (p) => consumer.seek(at, p), -1, /position of seek must be an offset/],
  ['pause', (p) => consumer.pause(p), [{ topic: 't', partitions: [0] }], /no option partitions/],
  ['commit', (o) => consumer.commit(o), [{ ...at, offset: '5' }], /offset must be a whole number/],
  ['committed', (p) => consumer.committed(p), [1], /takes an object of options, not 1/],
  ['streams(n)', (n) => consumer.streams(n), 1.5, /the count of streams must be/],
  ['close', (o) => producer.close(o), { timeout: 5 }, /timeout; here it is called timeoutMs/],
  ['close in ms', (o) => consumer.close(o), 5, /close takes an object of options, not 5/],
  ['a target', (t) => producer.target(t, null), undefined, /the topic of a target must be a text/],
  ['a callback', (c) => producer.send([], c), 'later', /callback of send must be a function/],
  ['numPartitions', (t) => admin.createTopic(t), { name: 't', numPartitions: 3 }, /called partit/],
  ['topics', (t) => admin.createTopic(t), { topics: [{ topic: 't' }] }, /no option topics/],
  [
    'a config of a number',
    (t) => admin.createTopic(t),
    { name: 't', configs: { a: 1 } },
    /configs\.a/,
  ],
  ['a name', (n) => admin.deleteTopic(n), { topics: ['t'] }, /name of deleteTopic must be a text/],
  ['a resource', (r) => admin.describeConfigs(r), { type: 'TOPIC', name: 't' }, /type must be/],
  ['a query', (q) => admin.listOffsets(q), [at], /timestamp is missing/],
  ['types', (t) => new ValueTypes(t), {}, /the types of ValueTypes must be a list/],
  ['half a type', (t) => new ValueTypes(t), [{ name: 'a' }], /a value type must be \{ name/],
  ['a broker’s', (o) => Broker.start(o), { 'log.dirs': 'x' }, /Broker\.start: .* called dataDir/],
  ['a port', (o) => Broker.start(o), { dataDir: 'x', port: 1 }, /listeners: \[\{ listen/],
  [
    'a topic',
    (o) => Broker.start(o),
    { dataDir: 'x', topics: { t: { partition: 1 } } },
    /topics\.t/,
  ],
  ['no directory', (o) => Broker.start(o), undefined, /Broker\.start takes an object of options/],
];

describe('what is refused with a sentence that names ours', () => {
  it.each(cases)('%s', async (_, call, options, sentence) => {
    const error = await (async () => call(options as never))().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(sentence),
    });
  });

  it('is an error of the client, and nothing is sent', async () => {
    const refused = producer.send([{ topic: 't', value: 'a' }, { topic: 't' } as never]);
    await expect(refused).rejects.toBeInstanceOf(ClientError);
    expect(producer.usedBytes).toBe(0);
    await producer.flush();
  });

  it('no option that is undefined, nor state of the application’s own objects', () => {
    const own = { name: 'mine', seen: 0, onSend: () => null };
    const options = { bootstrap, lingerMs: undefined, interceptors: [own] };
    expect(() => new Producer(options as never, system)).not.toThrow();
    const type = { name: 'x', schema: 1, matches: () => true, encode: () => 1, decode: () => 1 };
    expect(() => new ValueTypes([type as never])).not.toThrow();
    expect(() => new ValueTypes([type as never]).encode(1)).toThrow(/must return bytes/);
  });
});

it('headers of a wrong kind fail their record with a sentence', async () => {
  const world = createSimSystem({ seed: 1 });
  const { FakeBroker } = await import('./producer/fake-broker.js');
  const broker = await world.run(
    FakeBroker.listen(world.process('broker').net, { topics: { t: 1 } }),
  );
  const sender = new Producer({ bootstrap }, world.process('client'));
  const reasons: string[] = [];
  for (const headers of [
    { a: 1 },
    { a: undefined },
    [['a']],
    'a: b',
    { a: ['x', 'y'] },
    [[1, 'x']],
  ]) {
    const sent = sender.send({ topic: 't', value: 'v', headers: headers as never });
    await world.run(
      sent.then(
        () => {},
        (error: Error) => void reasons.push(error.message),
      ),
    );
  }
  expect(reasons).toHaveLength(6);
  for (const reason of reasons) expect(reason).toMatch(/headers: .*; give an object/);
  const pairs = new Map([['a', 'kept']]);
  await world.run(sender.send({ topic: 't', value: 'v', headers: pairs as never }));
  expect(broker.log('t')[0]?.headers).toEqual({ a: 'kept' });
  await world.run(sender.close());
});
