import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  CreateTopics,
  DeleteTopics,
  InitProducerId,
  Metadata,
  OffsetCommit,
  OffsetFetch,
} from '../../protocol/index.js';
import { batchOf, inWorld, type RawClient, valuesOf, type World } from '../broker/world.js';
import { seed } from '../rounds.js';
import { mulberry32 } from './chance.js';
import { mutated, validFrames } from './hostile-frames.js';

/**
 * Mutated requests of every API and version against a whole broker: their connection may close,
 * and nothing else may change. LOGFLUME_FRAMES says how many (`npm run test:fuzz`: a million).
 */
const frames = Number(process.env.LOGFLUME_FRAMES ?? 4000);
/** Frames on each of the connections at once: behind one that closes it, nothing is looked at. */
const FRAMES_PER_CONNECTION = [...Array.from({ length: 48 }, () => 1), 16];
const FRAMES_AT_ONCE = FRAMES_PER_CONNECTION.reduce((sum, count) => sum + count, 0);
/** Frames between two looks at what must be unharmed. */
const FRAMES_PER_LOOK = 500;
/**
 * What memory may grow by, once what is garbage has gone, beside the files, which are in it too:
 * the simulation holds each twice. Deleted topics stay for a minute, log lines until 20,000 came.
 */
const MAX_GROWTH_BYTES = 128 * 1024 * 1024;
/** Where most frames close their connection, little behind the codec is reached. */
const MIN_ANSWERED_SHARE = 0.3;
/** No mutation of a name that the frames know gives these. */
const WITNESS = 'witness-4c1f0e6a';

const rejections: unknown[] = [];
const onRejection = (reason: unknown) => rejections.push(reason);
beforeAll(() => {
  process.on('unhandledRejection', onRejection);
});
afterAll(() => {
  process.off('unhandledRejection', onRejection);
});

function usedBytes({ sim }: World): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external - sim.volume().usedBytes;
}

/** A client that goes about its business beside the hostile ones. */
class Witness {
  readonly written: string[] = [];

  private constructor(
    private readonly client: RawClient,
    private readonly producerId: number,
  ) {}

  static async start(world: World): Promise<Witness> {
    const client = await world.connect();
    const body = { transactionalId: null, transactionTimeoutMs: 1 };
    const { producerId } = await client.ask(InitProducerId, body);
    return new Witness(client, producerId);
  }

  /** Writes, commits, and reads back all that was ever acknowledged to it. */
  async look(): Promise<void> {
    const value = `record ${this.written.length}`;
    const options = {
      ...{ producerId: this.producerId, producerEpoch: 0, baseSequence: this.written.length },
    };
    const answer = await this.client.produce(WITNESS, 0, batchOf([value], options));
    expect(answer).toMatchObject({ errorCode: 0, baseOffset: this.written.length });
    this.written.push(value);
    const committedOffset = this.written.length;
    const partition = { partitionIndex: 0, committedOffset, committedMetadata: 'mine' };
    const { topics } = await this.client.ask(
      OffsetCommit,
      { groupId: WITNESS, topics: [{ name: WITNESS, partitions: [partition] }] },
      8,
    );
    expect(topics[0]?.partitions[0]).toMatchObject({ errorCode: 0 });
    await this.check();
  }

  async check(): Promise<void> {
    const read: [number, string][] = [];
    while (read.length < this.written.length) {
      const { records, errorCode } = await this.client.fetch(WITNESS, 0, read.length);
      expect(errorCode).toBe(0);
      read.push(...valuesOf(records));
    }
    expect(read).toEqual(this.written.map((value, index) => [index, value]));
    const topics = [{ name: WITNESS, partitionIndexes: [0] }];
    const { groups } = await this.client.ask(
      OffsetFetch,
      { groups: [{ groupId: WITNESS, topics }] },
      8,
    );
    expect(groups[0]?.topics[0]?.partitions[0]).toMatchObject({
      ...{ committedOffset: this.written.length, metadata: 'mine', errorCode: 0 },
    });
  }

  /** What the hostile requests work on may have been deleted by one of them; the rest goes. */
  async provideTopics(): Promise<void> {
    const { topics: all } = await this.client.ask(Metadata, { topics: null }, 12);
    const topicNames = all.flatMap(({ name, isInternal }) =>
      name === null || isInternal || name === WITNESS ? [] : [name],
    );
    await this.client.ask(DeleteTopics, { topicNames, timeoutMs: 1000 }, 3);
    const plain = { numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] };
    const topics = ['logs', 'other'].map((name) => ({ name, ...plain }));
    await this.client.ask(CreateTopics, { topics, timeoutMs: 1000 }, 5);
  }
}

/** Sends frames over a connection of their own; resolves to how many were answered. */
async function send(world: World, hostile: readonly Buffer[]): Promise<number> {
  const connection = await world.client.net.connect({
    ...{ host: '127.0.0.1', port: world.broker.port, timeoutMs: 1000 },
  });
  const received: Buffer[] = [];
  const onData = (bytes: Buffer) => received.push(Buffer.from(bytes));
  connection.handle({ onData, onDrain: () => {}, onClose: () => {} });
  for (const frame of hostile) connection.write([frame]);
  // Long enough for answers, too short for a long poll.
  await world.client.clock.sleep(50);
  connection.destroy();
  return frameCount(Buffer.concat(received));
}

function frameCount(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at + 4 <= bytes.length; count++) at += 4 + bytes.readInt32BE(at);
  return count;
}

it(`${frames} mutated frames harm nobody else, seed ${seed}`, { timeout: 7_200_000 }, async () => {
  const chance = mulberry32(seed);
  const valid = validFrames(chance, seed);
  const next = () => mutated(valid[Math.floor(chance() * valid.length)] as Buffer, chance);
  const topics = { logs: { partitions: 2 }, [WITNESS]: { partitions: 1 } };
  await inWorld({ topics }, async (world) => {
    const witness = await Witness.start(world);
    await witness.look();
    const before = usedBytes(world);
    let sinceLook = 0;
    let answered = 0;
    let sent = 0;
    while (sent < frames) {
      const batches = FRAMES_PER_CONNECTION.map((length) => Array.from({ length }, next));
      const answers = await Promise.all(batches.map((batch) => send(world, batch)));
      answered += answers.reduce((sum, count) => sum + count, 0);
      sent += FRAMES_AT_ONCE;
      sinceLook += FRAMES_AT_ONCE;
      if (sinceLook < FRAMES_PER_LOOK) continue;
      sinceLook = 0;
      await witness.look();
      await witness.provideTopics();
      expect(rejections).toEqual([]);
      expect(usedBytes(world) - before).toBeLessThan(MAX_GROWTH_BYTES);
    }
    // What it wrote outlives the broker as well.
    await witness.look();
    expect(answered / sent, 'share of frames answered').toBeGreaterThan(MIN_ANSWERED_SHARE);
  });
  expect(rejections).toEqual([]);
});
