import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Consumer, type MessagesStream, stringDeserializers } from '@platformatic/kafka';
import { expect, it, onTestFinished } from 'vitest';
import { Broker } from '../../../broker/index.js';

type Reader = Consumer<string, string, string, string>;
type Stream = MessagesStream<string, string, string, string>;

/** @platformatic/kafka as the judge of static membership (KIP-345), which kafkajs lacks. */
it('a static member that is started again keeps its partitions, and no other member notices', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'logflume-static-'));
  const options = { dataDir, topics: { logs: { partitions: 4 } } };
  let broker = await Broker.start(options);
  const { port } = broker;
  const readers: Reader[] = [];
  const streams: Stream[] = [];
  onTestFinished(async () => {
    // Those that were fenced cannot leave: their connections close with the broker's.
    for (const stream of streams) stream.close(() => undefined);
    for (const reader of readers) reader.close(true, () => undefined);
    await broker.stop();
    rmSync(dataDir, { recursive: true });
  });

  const start = async (groupInstanceId: string): Promise<Reader> => {
    const reader: Reader = new Consumer({
      groupId: 'readers',
      groupInstanceId,
      clientId: groupInstanceId,
      bootstrapBrokers: [`127.0.0.1:${port}`],
      deserializers: stringDeserializers,
      sessionTimeout: 10_000,
      heartbeatInterval: 100,
      rebalanceTimeout: 10_000,
      maxWaitTime: 50,
      retries: 100,
      retryDelay: 50,
    });
    readers.push(reader);
    reader.on('error', () => undefined);
    const stream = await reader.consume({ topics: ['logs'], mode: 'latest' });
    stream.on('error', () => undefined);
    streams.push(stream);
    return reader;
  };
  const sharesOf = (reader: Reader) => reader.assignments?.flatMap(({ partitions }) => partitions);
  const settled = async (reader: Reader, generation: number) => {
    while (reader.generationId < generation || sharesOf(reader)?.length !== 2) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  const one = await start('one');
  const two = await start('two');
  await settled(one, 2);
  await settled(two, 2);
  const before = { one: sharesOf(one), two: sharesOf(two), memberId: two.memberId };

  // As after a kill -9: nobody has left.
  const oneAgain = await start('one');
  expect(oneAgain.generationId).toBe(2);
  expect(oneAgain.memberId).not.toBe(one.memberId);
  expect(sharesOf(oneAgain)).toEqual(before.one);
  expect(two.generationId).toBe(2);

  // And the same across a restart of the broker.
  await broker.stop();
  broker = await Broker.start({
    ...options,
    listeners: [{ listen: { host: '127.0.0.1', port } }],
  });
  const twoAgain = await start('two');
  expect(twoAgain.generationId).toBe(2);
  expect(twoAgain.memberId).not.toBe(before.memberId);
  expect(sharesOf(twoAgain)).toEqual(before.two);
});
