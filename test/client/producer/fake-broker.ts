import {
  ApiVersions,
  apis,
  decodeRequestHeader,
  ErrorCode,
  encodeResponse,
  FrameSplitter,
  InitProducerId,
  Metadata,
  Produce,
  type ProduceRequest,
} from '../../../protocol/index.js';
import { loadCodec, RecordCursor, verifyBatch } from '../../../protocol/records/index.js';
import type { Connection, Net } from '../../../system/index.js';
import { FakePartition } from './fake-partition.js';

/** One record as the broker stored it. */
export interface StoredRecord {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
  readonly headers: Readonly<Record<string, string | null>>;
}

/** What a script wants done with a Produce request. */
export type Verdict =
  | 'ok'
  /** Written, but the answer never leaves. */
  | 'silent'
  /** Written, then the connection is closed instead of an answer. */
  | 'writeAndHangUp'
  /** Not written; the connection is closed. */
  | 'hangUp'
  /** Not written; every partition is refused with this code. */
  | { readonly errorCode: number; readonly write?: boolean };

export interface FakeBrokerOptions {
  readonly topics: Readonly<Record<string, number>>;
  readonly port?: number;
  /** Answer for a batch larger than this: MESSAGE_TOO_LARGE. */
  readonly maxBatchBytes?: number;
  readonly logAppendTimeMs?: number;
  /** What Metadata says of these topics. */
  readonly topicErrors?: Readonly<Record<string, number>>;
  /** Refuses producer ids with this code. */
  readonly identityErrorCode?: number;
}

const NODE_ID = 1;

/** A broker on the simulated network whose every fault is scripted. */
export class FakeBroker {
  readonly partitions = new Map<string, FakePartition<StoredRecord>>();
  readonly requests: ProduceRequest[] = [];
  readonly connections = new Set<Connection>();
  script: (request: ProduceRequest, index: number) => Verdict = () => 'ok';
  nextProducerId = 1000;
  identitiesGiven = 0;
  metadataRequests = 0;
  private readonly topicErrors: Map<string, number>;
  private topics: Map<string, number>;
  private readonly port: number;

  constructor(private readonly options: FakeBrokerOptions) {
    this.topics = new Map(Object.entries(options.topics));
    this.topicErrors = new Map(Object.entries(options.topicErrors ?? {}));
    this.port = options.port ?? 9092;
  }

  static async listen(net: Net, options: FakeBrokerOptions): Promise<FakeBroker> {
    const broker = new FakeBroker(options);
    await broker.listen(net);
    for (const codec of ['zstd'] as const) await loadCodec(codec);
    return broker;
  }

  async listen(net: Net): Promise<void> {
    await net.listen({ host: '127.0.0.1', port: this.port }, (connection) => {
      this.connections.add(connection);
      const splitter = new FrameSplitter(1 << 26);
      connection.handle({
        onData: (bytes) => splitter.push(bytes, (frame) => this.serve(connection, frame)),
        onDrain: () => {},
        onClose: () => this.connections.delete(connection),
      });
    });
  }

  addTopic(name: string, partitions: number): void {
    this.topics.set(name, partitions);
  }

  /** The topic is there from now on. */
  allow(topic: string): void {
    this.topicErrors.delete(topic);
    this.topics.set(topic, 1);
  }

  log(topic: string, partition = 0): StoredRecord[] {
    return this.partition(topic, partition).log;
  }

  values(topic: string, partition = 0): (string | null)[] {
    return this.log(topic, partition).map(({ value }) => value);
  }

  partition(topic: string, partition: number): FakePartition<StoredRecord> {
    const name = `${topic}/${partition}`;
    const found = this.partitions.get(name) ?? new FakePartition<StoredRecord>();
    this.partitions.set(name, found);
    return found;
  }

  hangUp(): void {
    for (const connection of this.connections) connection.destroy();
  }

  private serve(connection: Connection, frame: Buffer): void {
    const { apiKey, apiVersion, correlationId, bodyOffset } = decodeRequestHeader(frame);
    const reply = (api: Parameters<typeof encodeResponse>[0], body: never) =>
      connection.write(encodeResponse(api, apiVersion, correlationId, body));
    switch (apiKey) {
      case ApiVersions.key:
        reply(ApiVersions as never, { errorCode: 0, apiKeys: offered() } as never);
        return;
      case Metadata.key: {
        const request = Metadata.request.read(frame, bodyOffset, apiVersion);
        reply(Metadata as never, this.metadata(request.topics) as never);
        return;
      }
      case InitProducerId.key:
        this.identitiesGiven++;
        reply(
          InitProducerId as never,
          {
            errorCode: this.options.identityErrorCode ?? 0,
            producerId: this.nextProducerId++,
            producerEpoch: 0,
          } as never,
        );
        return;
      default: {
        const request = Produce.request.read(frame, bodyOffset, apiVersion);
        this.produce(connection, request, (body) => reply(Produce as never, body as never));
      }
    }
  }

  private produce(
    connection: Connection,
    request: ProduceRequest,
    reply: (body: object) => void,
  ): void {
    const verdict = this.script(request, this.requests.push(request) - 1);
    if (verdict === 'hangUp') {
      connection.destroy();
      return;
    }
    const forced = typeof verdict === 'object' ? verdict.errorCode : ErrorCode.NONE;
    const write = typeof verdict !== 'object' || verdict.write === true;
    const responses = request.topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index, records }) => {
        const topic = name || nameOf(topicId);
        const result = write ? this.append(topic, index, records!) : undefined;
        const errorCode = result?.errorCode || forced;
        const baseOffset = errorCode === 0 ? (result?.baseOffset ?? -1) : -1;
        const { logAppendTimeMs = -1 } = this.options;
        return { index, errorCode, baseOffset, logAppendTimeMs };
      }),
    }));
    if (verdict === 'writeAndHangUp') connection.destroy();
    else if (verdict !== 'silent' && request.acks !== 0) reply({ responses });
  }

  private append(
    topic: string,
    partition: number,
    bytes: Buffer,
  ): { errorCode: number; baseOffset: number } {
    const header = verifyBatch(bytes, 0, { deep: true, contiguous: true });
    if (bytes.length > (this.options.maxBatchBytes ?? Number.POSITIVE_INFINITY)) {
      return { errorCode: ErrorCode.MESSAGE_TOO_LARGE, baseOffset: -1 };
    }
    const cursor = new RecordCursor();
    cursor.open(bytes, 0, 1 << 26);
    const values: StoredRecord[] = [];
    while (cursor.next()) {
      values.push({
        key: cursor.key()?.toString() ?? null,
        value: cursor.value()?.toString() ?? null,
        timestamp: cursor.timestamp,
        headers: Object.fromEntries(
          cursor.headers().map(([name, value]) => [name, value?.toString() ?? null]),
        ),
      });
    }
    return this.partition(topic, partition).append({
      producerId: header.producerId,
      producerEpoch: header.producerEpoch,
      sequence: header.baseSequence,
      values,
    });
  }

  private metadata(asked: readonly { name: string | null }[] | null): object {
    this.metadataRequests++;
    const names = asked?.map(({ name }) => name ?? '') ?? [...this.topics.keys()];
    const topics = names.map((name) => ({
      errorCode:
        this.topicErrors.get(name) ??
        (this.topics.has(name) ? ErrorCode.NONE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
      name,
      topicId: idOf(name),
      isInternal: false,
      partitions: Array.from({ length: this.topics.get(name) ?? 0 }, (_, partitionIndex) => ({
        errorCode: 0,
        partitionIndex,
        leaderId: NODE_ID,
        leaderEpoch: 0,
        replicaNodes: [NODE_ID],
        isrNodes: [NODE_ID],
        offlineReplicas: [],
      })),
    }));
    const brokers = [{ nodeId: NODE_ID, host: '127.0.0.1', port: this.port, rack: null }];
    return { brokers, clusterId: 'fake', controllerId: NODE_ID, topics, errorCode: 0 };
  }
}

function offered(): object[] {
  return [...apis.values()].map(({ key, minVersion, maxVersion }) => ({
    apiKey: key,
    minVersion,
    maxVersion,
  }));
}

/** An id from which the name can be read again: base64 of the name, cut and filled to 16 bytes. */
function idOf(name: string): string {
  return Buffer.alloc(16, 1).fill(name.padEnd(16, '\u0001').slice(0, 16)).toString('base64url');
}

function nameOf(topicId: string): string {
  return Buffer.from(topicId, 'base64url').toString().replaceAll('\u0001', '');
}
