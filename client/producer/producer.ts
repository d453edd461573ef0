import { rule } from '../../config/options/index.js';
import { loadCodec } from '../../protocol/records/index.js';
import type { System } from '../../system/index.js';
import { createRealSystem } from '../../system/real/index.js';
import { backoffMs } from '../backoff.js';
import { Cluster } from '../cluster.js';
import { ClientEmitter } from '../events.js';
import { checkOptions, checkValue } from '../options/index.js';
import { FileValue } from '../values/index.js';
import type { Accumulator, AccumulatorContext } from './accumulator.js';
import { checkRecord } from './check.js';
import { Dispatcher } from './dispatcher.js';
import { type DeliveryError, ProducerError } from './errors.js';
import { IdentitySource } from './identity.js';
import { InterceptorChain } from './interceptors/index.js';
import type { LineSettings } from './line.js';
import { ProducerMemory } from './memory.js';
import { isCodecReady, type ProducerOptions, resolveSettings } from './options.js';
import type { ProducerRecord, RecordMetadata } from './record.js';
import { SendCall } from './send-call.js';
import { type Progress, SendQueue } from './send-queue.js';
import { Serializer } from './serializer.js';
import { Settler } from './settler.js';
import { PartitionTarget } from './target.js';
import type { BatchTicket, Ticket } from './ticket.js';
import type { TopicState } from './topic.js';
import { Topics } from './topics.js';

/** What a producer asks of the operating system. */
export type ProducerSystem = Pick<System, 'net' | 'clock' | 'random' | 'disk' | 'log'>;

const bytesRule = (key: unknown) => (Buffer.isBuffer(key) ? undefined : 'must be a Buffer or null');

/** Called once with the end of every record of a `send`. */
export type SendCallback<T> = (error: DeliveryError | null, result: T) => void;

/**
 * Writes records to topics. There are two ways in: `send`, with a result per record, and
 * `append`, which copies bytes into the batch under construction and acknowledges whole batches.
 * It finds leaders, reconnects and retries by itself; within a partition order is kept.
 */
export class Producer extends ClientEmitter {
  private readonly cluster: Cluster;
  private readonly settings;
  private readonly system: ProducerSystem;
  private readonly memory: ProducerMemory;
  private readonly topics: Topics;
  private readonly dispatcher: Dispatcher;
  private readonly interceptors: InterceptorChain;
  private readonly serializer: Serializer;
  private readonly queue: SendQueue;
  private hasCodec = false;
  private codecLoading: Promise<void> | undefined;
  private closedBy: ProducerError | undefined;
  private closing: Promise<void> | undefined;

  /** Connects with the first record. Throws ClientError INVALID_OPTION. */
  constructor(options: ProducerOptions, system: ProducerSystem = createRealSystem()) {
    super(system.log);
    this.settings = resolveSettings(options);
    this.system = system;
    this.cluster = new Cluster(system, options);
    this.forward(this.cluster);
    this.serializer = new Serializer(options.values);
    this.memory = new ProducerMemory(this.settings.maxMemoryBytes, this.settings.batchBytes, () =>
      this.dispatcher.schedulePump(),
    );
    this.dispatcher = this.createDispatcher();
    this.topics = new Topics(
      system,
      this.cluster,
      this.settings.partitioner,
      this.createAccumulatorContext(),
    );
    this.queue = new SendQueue(system.clock, {
      append: (call) => this.appendCall(call),
      writable: () => this.writable(),
      whenFull: this.settings.whenFull,
    });
    this.interceptors = new InterceptorChain(options.interceptors ?? [], this.callbacks);
    this.interceptors.configure({
      clientId: options.clientId ?? 'logflume',
      now: () => system.clock.now(),
    });
  }

  /** Bytes that batches hold now; never more than `maxMemoryBytes`. */
  get usedBytes(): number {
    return this.memory.usedBytes;
  }

  /**
   * Where records of this topic with this key go. A key that is fixed for many records (a source)
   * is hashed once. `partition` overrides the partitioner.
   */
  target(topic: string, key: Buffer | null, partition?: number): PartitionTarget {
    checkValue('the topic of a target', topic, rule.text);
    if (key !== null) checkValue('the key of a target', key, bytesRule);
    return new PartitionTarget(topic, key, partition);
  }

  /**
   * Copies one record into the batch under construction; `headers` comes from `encodeHeaders`.
   * Returns the ticket of that batch, or null where there is no room now: await `writable()`.
   * Throws ProducerError (TOO_LARGE, BAD_PARTITION, CLOSED).
   */
  append(
    target: PartitionTarget,
    timestamp: number,
    key: Buffer | null,
    keyStart: number,
    keyEnd: number,
    value: Buffer | null,
    valueStart: number,
    valueEnd: number,
    headers: Buffer | null,
  ): BatchTicket | null {
    const found = target.accumulator?.tryAppend(
      timestamp,
      key,
      keyStart,
      keyEnd,
      value,
      valueStart,
      valueEnd,
      headers,
    );
    if (found !== undefined) return found;
    const topic = this.readyTopic(target.topic);
    if (topic === undefined) return null;
    if (!target.isResolved) target.resolve(topic);
    const accumulator = this.put(
      topic,
      target.accumulator,
      timestamp,
      key,
      keyStart,
      keyEnd,
      value,
      valueStart,
      valueEnd,
      headers,
    );
    return accumulator?.openTicket ?? null;
  }

  /** Why records for the topic are not taken just now; undefined where nothing is known. */
  trouble(topic: string): Error | undefined {
    if (this.closedBy !== undefined) return this.closedBy;
    return this.topics.refusal(topic) ?? this.dispatcher.trouble(topic);
  }

  /**
   * Resolves when `append` may succeed again: memory is free, or there is news of a topic. While a
   * topic is missing or refused it resolves after `retryBackoffMs` at the earliest.
   */
  async writable(): Promise<void> {
    if (this.closedBy !== undefined) return;
    await this.codecLoading;
    if (this.memory.isWritable) await this.topics.news();
    else await this.memory.wait();
  }

  /**
   * Sends one record or several. Resolves with where each of them is; rejects with DeliveryError,
   * which holds what was not delivered and why. A record that an interceptor dropped has
   * partition -1. With a callback nothing is returned.
   * What is no record at all is refused with ClientError INVALID_OPTION, and nothing is sent: the
   * promise is rejected; with a callback it is thrown.
   */
  send(record: ProducerRecord): Promise<RecordMetadata>;
  send(records: readonly ProducerRecord[]): Promise<RecordMetadata[]>;
  send(record: ProducerRecord, callback: SendCallback<RecordMetadata | undefined>): void;
  send(records: readonly ProducerRecord[], callback: SendCallback<RecordMetadata[]>): void;
  send(
    input: ProducerRecord | readonly ProducerRecord[],
    callback?: SendCallback<never>,
  ): Promise<RecordMetadata | RecordMetadata[]> | undefined {
    const isList = Array.isArray(input);
    const records = (isList ? input : [input]) as readonly ProducerRecord[];
    if (callback !== undefined) checkValue('the callback of send', callback, rule.callback);
    const result = (list: RecordMetadata[]) =>
      (isList ? list : list[0]) as RecordMetadata | RecordMetadata[];
    if (callback !== undefined) {
      for (const record of records) checkRecord(record);
      this.start(records, (error, list) =>
        this.callbacks.call('the callback of send', () => callback(error, result(list) as never)),
      );
      return undefined;
    }
    return new Promise((resolve, reject) => {
      for (const record of records) checkRecord(record);
      this.start(records, (error, list) =>
        error === null ? resolve(result(list)) : reject(error),
      );
    });
  }

  /** Sends a whole file as one record; the type `file` must be among `values`. */
  async sendFile(
    topic: string,
    path: string,
    options: Omit<ProducerRecord, 'topic' | 'value'> = {},
  ): Promise<RecordMetadata> {
    checkValue('the path of sendFile', path, rule.text);
    const value = new FileValue(path, await this.system.disk.readFile(path));
    return this.send({ ...options, topic, value });
  }

  /** Sends what has been handed in so far without waiting; resolves when all of it has an end. */
  async flush(): Promise<void> {
    await this.queue.emptied();
    const tickets = new Set<Ticket>();
    for (const accumulator of this.dispatcher.accumulators) {
      accumulator.close();
      for (const ticket of accumulator.openTickets()) tickets.add(ticket);
    }
    this.dispatcher.schedulePump();
    await Promise.all(
      [...tickets].map((ticket) => new Promise<void>((resolve) => ticket.onDone(() => resolve()))),
    );
  }

  /** Flushes for at most `timeoutMs` (default 30 s), gives up what is left, and disconnects. */
  close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    checkOptions('close', options, { timeoutMs: rule.amount(0) });
    this.closing ??= this.drain(options.timeoutMs ?? 30_000);
    return this.closing;
  }

  private async drain(timeoutMs: number): Promise<void> {
    const patience = new AbortController();
    const flushed = this.flush().then(() => patience.abort());
    await this.system.clock.sleep(timeoutMs, patience.signal);
    this.stop(undefined);
    await flushed;
  }

  /** Ends everything; what is not delivered by now fails. */
  private stop(cause: Error | undefined): void {
    if (this.closedBy !== undefined) return;
    const why = cause === undefined ? 'the producer is closed' : 'the producer has stopped';
    const detail = cause === undefined ? '' : `: ${cause.message}`;
    this.closedBy = new ProducerError('CLOSED', `${why}${detail}`, { cause });
    this.dispatcher.stop(this.closedBy);
    this.queue.failAll(this.closedBy);
    this.topics.stop();
    this.memory.wake(true);
    this.interceptors.close();
    this.cluster.close(cause);
    this.announce('stopped', cause === undefined ? {} : { cause });
  }

  private start(
    records: readonly ProducerRecord[],
    onEnd: (error: DeliveryError | null, results: RecordMetadata[]) => void,
  ): void {
    const { clock } = this.system;
    const deadlineMs = clock.monotonic() + this.settings.maxBlockMs;
    const call = new SendCall(records, clock.now(), deadlineMs, this.interceptors, onEnd);
    if (this.closedBy !== undefined || this.closing !== undefined) {
      call.failRest(this.closedBy ?? new ProducerError('CLOSED', 'the producer is closing'));
    } else this.queue.add(call);
  }

  /** Appends a call's records from `next` on, until there is no room. */
  private appendCall(call: SendCall): Progress {
    while (call.next < call.records.length) {
      try {
        const progress = this.appendNext(call);
        if (progress !== 'done') return progress;
      } catch (error) {
        call.fail(call.next, error);
      }
      call.advance();
    }
    return 'done';
  }

  private appendNext(call: SendCall): Progress {
    const record = call.intercept();
    if (record === null) {
      call.drop(call.next);
      return 'done';
    }
    // An interceptor may have made anything of it.
    if (!this.interceptors.isEmpty) checkRecord(record);
    const topic = this.readyTopic(record.topic);
    if (topic === undefined) {
      const refusal = this.topics.standingRefusal(record.topic);
      if (refusal !== undefined) throw refusal;
      return 'noMetadata';
    }
    this.serializer.serialize(record);
    const { key, value, headers } = this.serializer;
    const accumulator = this.put(
      topic,
      record.partition === undefined
        ? topic.fixed(key.bytes === null ? null : key.bytes.subarray(0, key.end))
        : topic.at(record.partition),
      record.timestamp ?? call.timestamp,
      key.bytes,
      0,
      key.end,
      value.bytes,
      0,
      value.end,
      headers,
    );
    if (accumulator === undefined) return 'memoryFull';
    // It was appended just now, so there is an open batch.
    const ticket = accumulator.openTicket as Ticket;
    ticket.addRecord(call, call.next, accumulator.openCount - 1);
    return 'done';
  }

  /** The topic, where it can be appended to. Throws ProducerError CLOSED. */
  private readyTopic(name: string): TopicState | undefined {
    if (this.closedBy !== undefined) throw this.closedBy;
    const topic = this.topics.get(name);
    return topic.isReady && this.isCodecReady() ? topic : undefined;
  }

  /**
   * Appends to the batch of `fixed`, or of a partition that the topic chooses. Returns where the
   * record is; undefined where there is no memory for another batch now.
   */
  private put(
    topic: TopicState,
    fixed: Accumulator | undefined,
    timestamp: number,
    key: Buffer | null,
    keyStart: number,
    keyEnd: number,
    value: Buffer | null,
    valueStart: number,
    valueEnd: number,
    headers: Buffer | null,
  ): Accumulator | undefined {
    for (;;) {
      const accumulator = fixed ?? topic.varying();
      const ticket = accumulator.tryAppend(
        timestamp,
        key,
        keyStart,
        keyEnd,
        value,
        valueStart,
        valueEnd,
        headers,
      );
      if (ticket !== undefined) return accumulator;
      const bytes = keyEnd - keyStart + valueEnd - valueStart + (headers?.length ?? 0);
      if (accumulator.isOpen) accumulator.finish();
      else if (!accumulator.open(bytes)) return undefined;
    }
  }

  private isCodecReady(): boolean {
    this.hasCodec ||= isCodecReady(this.settings);
    if (this.hasCodec) return true;
    this.codecLoading ??= loadCodec(this.settings.compression).catch((error: Error) =>
      this.stop(error),
    );
    return false;
  }

  private createAccumulatorContext(): AccumulatorContext {
    return {
      settings: this.settings,
      lineSettings: this.lineSettings(),
      memory: this.memory,
      callbacks: this.callbacks,
      now: () => this.system.clock.monotonic(),
      onOpened: (accumulator) => this.dispatcher.activate(accumulator),
      onFull: () => this.dispatcher.schedulePump(),
      enqueue: (accumulator, batch) => this.dispatcher.enqueue(accumulator, batch),
    };
  }

  private lineSettings(): LineSettings {
    const { isIdempotent, maxInFlight } = this.settings;
    return {
      ...this.settings,
      // Without sequences a batch that is sent again could land behind its successors.
      maxInFlight: isIdempotent ? maxInFlight : 1,
      backoffMs: (failures) => backoffMs(this.cluster.backoff, failures, this.system.random),
    };
  }

  private createDispatcher(): Dispatcher {
    const identity = new IdentitySource(this.cluster, {
      onReady: () => this.dispatcher.schedulePump(),
      onRefused: (cause) => this.stop(cause),
    });
    const settler = new Settler(this.system, this.settings, this.memory, {
      refreshMetadata: (topic) => this.dispatcher.refreshMetadata(topic),
      newProducerId: () => identity.discard(),
    });
    return new Dispatcher(this.system, this.cluster, this.settings, this.memory, identity, settler);
  }
}
