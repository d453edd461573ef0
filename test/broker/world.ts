import { Broker, type BrokerOptions } from '../../broker/index.js';
import {
  type Api,
  correlationIdOf,
  decodeResponse,
  encodeRequest,
  Fetch,
  type FetchRequestInput,
  FrameSplitter,
  Produce,
} from '../../protocol/index.js';
import { BatchWriter, batchesOf, RecordCursor } from '../../protocol/records/index.js';
import type { Connection } from '../../system/index.js';
import { createSimSystem, type SimProcess, type Simulation } from '../../system/sim/index.js';

const HOST = '127.0.0.1';
/** Indexes of 10 MiB each would be most of what a simulated broker does. */
export const SMALL = { 'log.index.size.max.bytes': 4096 };
const EPOCH_MS = 1_767_225_600_000;

/** A client that does nothing by itself: it sends what it is told and hands over the answers. */
export class RawClient {
  private nextId = 0;
  private readonly waiting = new Map<number, (frame: Buffer) => void>();
  private readonly splitter = new FrameSplitter(1 << 30);
  /** Correlation ids of the answers, in the order in which they came. */
  readonly answered: number[] = [];
  readonly closed: Promise<Error | undefined>;

  private constructor(readonly connection: Connection) {
    this.closed = new Promise((resolve) => {
      connection.handle({
        onData: (bytes) =>
          this.splitter.push(bytes, (frame) => {
            const id = correlationIdOf(frame);
            this.answered.push(id);
            this.waiting.get(id)?.(frame);
            this.waiting.delete(id);
          }),
        onDrain: () => {},
        onClose: resolve,
      });
    });
  }

  static async connect(process: SimProcess, port: number): Promise<RawClient> {
    return new RawClient(await process.net.connect({ host: HOST, port, timeoutMs: 1000 }));
  }

  /** Sends a request; the promise is its response. */
  async ask<Q, P, QI, PI>(api: Api<Q, P, QI, PI>, body: QI, version = api.maxVersion): Promise<P> {
    const frame = await this.exchange((id) => encodeRequest(api, version, id, 'test', body));
    return decodeResponse(api, version, frame).body;
  }

  /** Sends bytes made for a correlation id; the promise is the frame with that id. */
  exchange(bytes: (correlationId: number) => Uint8Array[]): Promise<Buffer> {
    const id = this.nextId++;
    const answer = new Promise<Buffer>((resolve) => this.waiting.set(id, resolve));
    this.connection.write(bytes(id));
    return answer;
  }

  /** Produces batches to one partition, by name; resolves to the partition's answer. */
  async produce(topic: string, index: number, records: Buffer, acks = -1, version = 12) {
    const response = await this.ask(
      Produce,
      {
        acks,
        timeoutMs: 1000,
        topicData: [{ name: topic, partitionData: [{ index, records }] }],
      },
      version,
    );
    const answer = response.responses[0]?.partitionResponses[0];
    if (answer === undefined) throw new Error('no partition in the answer');
    return answer;
  }

  /** Fetches one partition, by name; resolves to the partition's answer. */
  async fetch(
    topic: string,
    partition: number,
    fetchOffset: number,
    options: Partial<Omit<FetchRequestInput, 'topics'>> & { partitionMaxBytes?: number } = {},
  ) {
    const { partitionMaxBytes = 1 << 20, ...rest } = options;
    const partitions = [{ partition, fetchOffset, partitionMaxBytes }];
    const body = { maxWaitMs: 0, minBytes: 1, ...rest, topics: [{ topic, partitions }] };
    const response = await this.ask(Fetch, body, 12);
    const answer = response.responses[0]?.partitions[0];
    if (answer === undefined) throw new Error(`no partition in the answer: ${response.errorCode}`);
    return { ...answer, records: answer.records ?? Buffer.alloc(0) };
  }
}

/** A broker on virtual time, and what belongs to it. */
export interface World {
  readonly sim: Simulation;
  readonly broker: Broker;
  /** The client's process. */
  readonly client: SimProcess;
  connect(): Promise<RawClient>;
  /** Starts another broker on the same directory, in a new process of the same name. */
  restart(options?: Partial<BrokerOptions>): Promise<Broker>;
}

/** Tells a story about a broker with the topic `logs` (two partitions), then stops it. */
export async function inWorld(
  options: Partial<BrokerOptions>,
  story: (world: World) => Promise<void>,
): Promise<void> {
  const sim = createSimSystem({ seed: 7 });
  await sim.run(async () => {
    const given: BrokerOptions = {
      dataDir: '/data',
      topics: { logs: { partitions: 2 } },
      ...options,
      properties: { ...SMALL, ...options.properties },
    };
    let broker = await Broker.start(given, sim.process('broker'));
    await story({
      sim,
      get client() {
        return sim.process('client');
      },
      get broker() {
        return broker;
      },
      connect: () => RawClient.connect(sim.process('client'), broker.port),
      restart: async (changed = {}) => {
        broker = await Broker.start({ ...given, ...changed }, sim.process('broker'));
        return broker;
      },
    });
    await broker.stop();
  });
}

export interface BatchOptions {
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly codec?: 'none' | 'gzip';
  readonly timestamp?: number;
}

/** A batch with these values. */
export function batchOf(values: readonly string[], options: BatchOptions = {}): Buffer {
  const { producerId = -1, producerEpoch = -1, baseSequence = -1 } = options;
  const writer = new BatchWriter(1 << 20);
  for (const value of values) {
    const bytes = Buffer.from(value);
    const timestamp = options.timestamp ?? EPOCH_MS;
    writer.tryAppend(timestamp, bytes, 0, -1, bytes, 0, bytes.length, null);
  }
  const codec = options.codec ?? 'none';
  return Buffer.from(writer.close({ codec, producerId, producerEpoch, baseSequence }));
}

/** The values in fetched batches, with their offsets. */
export function valuesOf(records: Buffer): [number, string][] {
  const cursor = new RecordCursor();
  const values: [number, string][] = [];
  for (const batch of batchesOf(records)) {
    cursor.open(records, batch.offset, 1 << 20);
    while (cursor.next()) values.push([cursor.offset, String(cursor.value())]);
  }
  return values;
}
