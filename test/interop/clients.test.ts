import { randomUUID } from 'node:crypto';
import * as zlib from 'node:zlib';
import {
  Consumer as PlatformaticConsumer,
  Producer as PlatformaticProducer,
} from '@platformatic/kafka';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Consumer, Producer } from '../../index.js';
import { type Codec, compress, decompress, loadCodec } from '../../protocol/records/index.js';
import { detach } from '../../system/index.js';
import { freePort } from '../peers/apache-kafka.js';
import { startLogflumeBroker, temporaryFolder } from '../peers/logflume.js';
import { hasProgram, present, run } from '../peers/process.js';

/** Each named client writes into our broker with each codec, and each reads what all wrote. */
const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;
const codecs: readonly Codec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const recordsEach = 300;
const capBytes = 64 * 1_048_576;

interface Pair {
  readonly key: string;
  readonly value: string;
}

const recordsOf = (writer: string): Pair[] =>
  Array.from({ length: recordsEach }, (_, n) => ({
    key: `${writer}-key-${n % 7}`,
    value: `${writer} ${n} ünï ${'x'.repeat(n % 90)}`,
  }));

const kafkajsType: Record<Codec, number> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
};

const folder = temporaryFolder('clients');
const hasKcat = present('kcat', hasProgram('kcat'));
const hasPlatformaticZstd = 'zstdCompressSync' in zlib;
if (!hasPlatformaticZstd) {
  console.warn('SKIPPED: @platformatic/kafka has no zstd on this Node (it needs 22.15 or later)');
}
let broker: Awaited<ReturnType<typeof startLogflumeBroker>>;

beforeAll(async () => {
  broker = await startLogflumeBroker(folder.path, await freePort());
  for (const codec of codecs.slice(2)) {
    await loadCodec(codec);
    Object.assign(CompressionCodecs, {
      [kafkajsType[codec]]: () => ({
        compress: async (encoder: { buffer: Buffer }) => compress(codec, encoder.buffer),
        decompress: async (bytes: Buffer) => decompress(codec, bytes, capBytes),
      }),
    });
  }
});

afterAll(async () => {
  await broker?.stop();
  folder.remove();
});

const kafkajsClient = () =>
  new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING, clientId: 'kafkajs' });

type Writer = (topic: string, codec: Codec, records: Pair[]) => Promise<void>;

const writers: Record<string, Writer> = {
  async logflume(topic, compression, records) {
    const producer = new Producer({ bootstrap: [broker.bootstrap], compression });
    await producer.send(
      records.map(({ key, value }) => ({
        topic,
        partition: 0,
        key: Buffer.from(key),
        value: Buffer.from(value),
      })),
    );
    await producer.close();
  },
  async kafkajs(topic, codec, messages) {
    const producer = kafkajsClient().producer();
    await producer.connect();
    await producer.send({ topic, messages, compression: kafkajsType[codec] });
    await producer.disconnect();
  },
  async platformatic(topic, codec, records) {
    const producer = new PlatformaticProducer({
      clientId: 'platformatic',
      bootstrapBrokers: [broker.bootstrap],
      compression: codec,
    });
    await producer.send({
      messages: records.map(({ key, value }) => ({
        topic,
        partition: 0,
        key: Buffer.from(key),
        value: Buffer.from(value),
      })),
    });
    await producer.close();
  },
  async kcat(topic, codec, records) {
    const input = records.map(({ key, value }) => `${key}\t${value}\n`).join('');
    const settings = ['-X', `compression.codec=${codec}`, '-X', 'linger.ms=50'];
    await run(
      'kcat',
      ['-P', '-b', broker.bootstrap, '-t', topic, '-p', '0', '-K', '\t', ...settings],
      {
        input,
      },
    );
  },
};

type Reader = (topic: string, count: number) => Promise<Pair[]>;

async function readOurs(consumer: Consumer, count: number): Promise<Pair[]> {
  const found: Pair[] = [];
  for await (const batch of consumer.batches()) {
    const cursor = batch.cursor();
    while (cursor.next()) {
      found.push({ key: String(cursor.key()), value: String(cursor.value()) });
    }
    if (found.length >= count) break;
  }
  await consumer.close();
  return found;
}

const kcatFormat = ['-f', '%k\t%s\n', '-q', '-X', 'check.crcs=true'];
const parseKcat = (text: string): Pair[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [key = '', value = ''] = line.split('\t');
      return { key, value };
    });

const readers: Record<string, Reader> = {
  async 'logflume by assignment'(topic, count) {
    const consumer = new Consumer({ bootstrap: [broker.bootstrap], autoOffsetReset: 'earliest' });
    await consumer.assign([{ topic, partition: 0 }]);
    return readOurs(consumer, count);
  },
  async 'logflume in a group'(topic, count) {
    const consumer = new Consumer({
      bootstrap: [broker.bootstrap],
      groupId: randomUUID(),
      autoOffsetReset: 'earliest',
    });
    await consumer.subscribe({ topics: [topic] });
    return readOurs(consumer, count);
  },
  async 'kafkajs in a group'(topic, count) {
    const consumer = kafkajsClient().consumer({ groupId: randomUUID() });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const found: Pair[] = [];
    await new Promise<void>((resolve, reject) => {
      const eachMessage = async ({ message }: { message: { key: unknown; value: unknown } }) => {
        found.push({ key: String(message.key), value: String(message.value) });
        if (found.length === count) resolve();
      };
      detach(consumer.run({ eachMessage }), reject);
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
    });
    await consumer.disconnect();
    return found;
  },
  async 'platformatic in a group'(topic, count) {
    const consumer = new PlatformaticConsumer({
      clientId: 'platformatic',
      groupId: randomUUID(),
      bootstrapBrokers: [broker.bootstrap],
    });
    const stream = await consumer.consume({ topics: [topic], mode: 'earliest' });
    const found: Pair[] = [];
    for await (const message of stream) {
      found.push({ key: String(message.key), value: String(message.value) });
      if (found.length === count) break;
    }
    await consumer.close(true);
    return found;
  },
  async 'kcat by assignment'(topic) {
    const args = ['-C', '-b', broker.bootstrap, '-t', topic, '-p', '0', '-o', 'beginning', '-e'];
    return parseKcat((await run('kcat', [...args, ...kcatFormat])).stdout);
  },
  async 'kcat in a group'(topic, count) {
    const settings = ['-X', 'auto.offset.reset=earliest', '-c', String(count)];
    const args = ['-b', broker.bootstrap, ...settings, ...kcatFormat, '-G', randomUUID(), topic];
    return parseKcat((await run('kcat', args)).stdout);
  },
};

/** What a client of this name can do; each gap is the client's own, on this Node. */
function usable(client: string, codec: Codec): boolean {
  if (client.startsWith('kcat')) return hasKcat;
  if (client.startsWith('platformatic')) return codec !== 'zstd' || hasPlatformaticZstd;
  return true;
}

describe.each(codecs)('codec %s', (codec) => {
  const topic = `codec-${codec}`;
  const written: Pair[] = [];

  for (const [name, write] of Object.entries(writers)) {
    if (!usable(name, codec)) continue;
    it(`is written by ${name}`, async () => {
      const records = recordsOf(name);
      await write(topic, codec, records);
      written.push(...records);
    });
  }

  for (const [name, read] of Object.entries(readers)) {
    if (!usable(name, codec)) continue;
    it(`is read by ${name}`, async () => {
      expect(written.length).toBeGreaterThanOrEqual(2 * recordsEach);
      expect(await read(topic, written.length)).toEqual(written);
    });
  }
});

describe('group offsets', () => {
  it('continue where the group stopped, whichever client goes on', async () => {
    const topic = 'hand-over';
    await writers.kafkajs?.(topic, 'none', recordsOf('a'));
    const group = randomUUID();
    const consumer = new Consumer({
      bootstrap: [broker.bootstrap],
      groupId: group,
      autoOffsetReset: 'earliest',
      autoCommit: false,
    });
    await consumer.subscribe({ topics: [topic] });
    for await (const batch of consumer.batches()) {
      await consumer.commit([{ topic, partition: 0, offset: 100 }]);
      expect(batch.nextOffset).toBeGreaterThan(0);
      break;
    }
    await consumer.close();
    if (!hasKcat) return;
    const settings = ['-X', 'auto.offset.reset=earliest', '-c', String(recordsEach - 100)];
    const args = ['-b', broker.bootstrap, ...settings, ...kcatFormat, '-G', group, topic];
    expect(parseKcat((await run('kcat', args)).stdout)).toEqual(recordsOf('a').slice(100));
  });
});
