import type { BatchFailure, BatchTicket, RecordProducer } from '../../agent/producer.js';
import { BatchError, BrokerError, ProducerError } from '../../client/index.js';
import { ErrorCode } from '../../protocol/index.js';
import { BatchWriter, encodeHeaders, RecordCursor } from '../../protocol/records/index.js';
import type { Clock } from '../../system/index.js';

export interface Delivered {
  readonly topic: string;
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
  /** When the topic had it, milliseconds of the agent's clock. */
  readonly atMs: number;
}

/** What survives the agent: the topics. */
export class FakeTopics {
  readonly records: Delivered[] = [];

  ofKey(key: string): string[] {
    return this.records.filter((one) => one.key === key).map((one) => one.value);
  }

  /** What an archive of the key would hold. */
  contentOf(key: string): string {
    return this.records
      .filter((one) => one.key === key)
      .map((one) => one.value + ('logflume.partial' in one.headers ? '' : '\n'))
      .join('');
  }

  /** The bytes of each record's key. */
  readonly keyBytes: Buffer[] = [];

  get keys(): string[] {
    return [...new Set(this.records.map((one) => one.key))].sort();
  }
}

interface FakeBatch {
  ticket?: BatchTicket;
  readonly records: Omit<Delivered, 'atMs'>[];
  readonly keys: Buffer[];
  readonly callbacks: Parameters<BatchTicket['onDone']>[0][];
  failures: BatchFailure[];
  done?: boolean;
}

export interface FakeProducerOptions {
  readonly lingerMs?: number;
  readonly latencyMs?: number;
  /** Unacknowledged records held at most. */
  readonly capacity?: number;
  /** Whether a record is refused for itself by the broker; its neighbours are taken. */
  readonly refuses?: (value: string) => boolean;
  /** Whether a record is refused by `append`, which throws. */
  readonly rejects?: (value: string, topic: string) => boolean;
  /** Whether `append` throws for no fault of the record. */
  readonly breaks?: (value: string) => boolean;
  /** Whether a topic takes nothing now. */
  readonly isClosed?: (topic: string) => boolean;
  /** Fails a batch, by its number from 0. */
  readonly fails?: (batch: number) => boolean;
  /** Delays a batch, which those behind it overtake: other partitions are quicker. */
  readonly delayMs?: (batch: number) => number;
}

/** A producer with the client's contract: batches in order, acknowledged after a while. */
export class FakeProducer implements RecordProducer<{ topic: string }> {
  held = 0;
  #open: FakeBatch | undefined;
  #sent = 0;
  #waiting: (() => void)[] = [];
  #readyMs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly topics: FakeTopics,
    private readonly options: FakeProducerOptions = {},
  ) {}

  target(topic: string): { topic: string } {
    return { topic };
  }

  append(
    { topic }: { topic: string },
    timestamp: number,
    key: Buffer | null,
    keyStart: number,
    keyEnd: number,
    value: Buffer,
    valueStart: number,
    valueEnd: number,
    headers: Buffer | null,
  ): BatchTicket | null {
    const text = value.toString('latin1', valueStart, valueEnd);
    if (this.options.rejects?.(text, topic))
      throw new ProducerError('TOO_LARGE', 'a record too large');
    if (this.options.breaks?.(text)) throw new ProducerError('CLOSED', 'the producer ends');
    if (this.options.isClosed?.(topic)) return null;
    if (this.held >= (this.options.capacity ?? 1000)) return null;
    this.held++;
    if (!this.#open) {
      const batch: FakeBatch = { records: [], keys: [], callbacks: [], failures: [] };
      this.#open = batch;
      this.clock.after(this.options.lingerMs ?? 5, () => this.#send(batch));
    }
    const open = this.#open;
    open.keys.push(Buffer.from(key?.subarray(keyStart, keyEnd) ?? []));
    open.records.push({
      topic,
      key: key === null ? '' : key.toString('utf8', keyStart, keyEnd),
      value: text,
      headers: decodeHeaders(timestamp, headers),
    });
    open.ticket ??= ticketOf(open);
    return open.ticket;
  }

  trouble(topic: string): Error | undefined {
    return this.options.isClosed?.(topic) ? new BrokerError(29, `topic ${topic}`) : undefined;
  }

  writable(): Promise<void> {
    // As the client: it asks for the topic again after a while, and tells what came of it.
    if (this.options.isClosed?.('t')) return this.clock.sleep(1_000);
    if (this.held < (this.options.capacity ?? 1000)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async flush(): Promise<void> {
    while (this.held > 0) await this.clock.sleep(1);
  }

  /** As the client does: the records that are refused are found, the others are taken. */
  #deliver({ records, keys, failures }: FakeBatch, atMs: number): void {
    records.forEach((record, first) => {
      if (!this.options.refuses?.(record.value)) {
        this.topics.records.push({ ...record, atMs });
        this.topics.keyBytes.push(keys[first] ?? Buffer.alloc(0));
      } else failures.push({ first, count: 1, error: refusal(record) });
    });
  }

  #send(batch: FakeBatch): void {
    this.#open = undefined;
    const { clock, options } = this;
    const number = this.#sent++;
    const error = options.fails?.(number) ? new Error('refused') : undefined;
    const latencyMs = options.latencyMs ?? 4;
    const delayMs = options.delayMs?.(number) ?? 0;
    const now = clock.monotonic();
    if (delayMs === 0) this.#readyMs = Math.max(this.#readyMs, now + latencyMs);
    clock.after(delayMs > 0 ? delayMs : this.#readyMs - now, () => {
      const atMs = clock.monotonic();
      if (error) batch.failures = [{ first: 0, count: batch.records.length, error }];
      else this.#deliver(batch, atMs);
      clock.after(latencyMs, () => {
        batch.done = true;
        this.held -= batch.records.length;
        const { failures } = batch;
        for (const callback of batch.callbacks) callback(failures[0]?.error ?? null, 0, failures);
        for (const resolve of this.#waiting.splice(0)) resolve();
      });
    });
  }
}

function decodeHeaders(timestamp: number, headers: Buffer | null): Record<string, string> {
  if (!headers) return {};
  const writer = new BatchWriter(headers.length + 1000);
  writer.reset();
  writer.tryAppend(timestamp, null, 0, 0, Buffer.alloc(0), 0, 0, headers);
  const batch = writer.close({
    codec: 'none',
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
  });
  const cursor = new RecordCursor();
  cursor.open(batch, 0, 10_000_000);
  cursor.next();
  return Object.fromEntries(cursor.headers().map(([name, value]) => [name, String(value)]));
}

function refusal({ key, value, headers }: Omit<Delivered, 'atMs'>): Error {
  const writer = new BatchWriter(key.length + value.length + 10_000);
  writer.reset();
  const keyBytes = Buffer.from(key);
  const bytes = Buffer.from(value, 'latin1');
  const all = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const);
  writer.tryAppend(
    1,
    keyBytes,
    0,
    keyBytes.length,
    bytes,
    0,
    bytes.length,
    all.length === 0 ? null : encodeHeaders(all),
  );
  const batch = writer.close({
    codec: 'none',
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
  });
  const cause = new BrokerError(ErrorCode.INVALID_RECORD, 'topic t, partition 0');
  return new BatchError('REFUSED', 'the broker refused the batch', batch, { cause });
}

function ticketOf(batch: FakeBatch): BatchTicket {
  return {
    get recordCount() {
      return batch.records.length;
    },
    onDone: (callback) => {
      if (batch.done) callback(batch.failures[0]?.error ?? null, 0, batch.failures);
      else batch.callbacks.push(callback);
    },
  };
}
