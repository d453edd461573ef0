import {
  ErrorCode,
  Fetch,
  type FetchResponse,
  isRetriable,
  ZERO_UUID,
} from '../../protocol/index.js';
import { isCodecLoaded, loadCodec, RecordsError } from '../../protocol/records/index.js';
import { detach, type System } from '../../system/index.js';
import { backoffMs } from '../backoff.js';
import type { Cluster } from '../cluster.js';
import { BrokerError, ClientError } from '../errors.js';
import { fetchBody } from './fetch-request.js';
import { FetchedBatch } from './fetched-batch.js';
import { FrameLease } from './frame-lease.js';
import type { AssignedPartition } from './partition.js';
import type { ConsumerSettings } from './settings.js';
import { type AbortedTransaction, type Inspected, inspectRecords } from './visible-batches.js';

/** What the fetcher tells its consumer. */
export interface FetcherListener {
  /** Something has been queued. */
  onFetched(partition: AssignedPartition): void;
  /** Its position is not in the log, or `recreated`: the topic is another one now. */
  onOutOfRange(partition: AssignedPartition, recreated: boolean): void;
  onFatal(error: Error): void;
}

type PartitionAnswer = FetchResponse['responses'][number]['partitions'][number];

/** A fetch that is under way. */
interface Asked {
  readonly partition: AssignedPartition;
  readonly version: number;
  readonly offset: number;
}

/** While a partition's buffer is full, the others' long poll must not hold up its next fetch. */
const shortWaitMs = 20;

/**
 * Keeps one fetch under way at each leader of an assigned partition, as long as there is room.
 * `poke` after everything that may make another fetch possible.
 */
export class Fetcher {
  readonly #system: Pick<System, 'clock' | 'random'>;
  readonly #cluster: Cluster;
  readonly #settings: ConsumerSettings;
  readonly #listener: FetcherListener;
  readonly #abort = new AbortController();
  /** Leaders with a fetch under way, or a pause after one that failed. */
  readonly #busy = new Set<number>();
  #partitions: AssignedPartition[] = [];
  /** Bytes that the fetches under way may bring. */
  #reservedBytes = 0;
  #refreshing = false;

  constructor(
    system: Pick<System, 'clock' | 'random'>,
    cluster: Cluster,
    settings: ConsumerSettings,
    listener: FetcherListener,
  ) {
    this.#system = system;
    this.#cluster = cluster;
    this.#settings = settings;
    this.#listener = listener;
  }

  /** Fetches these from now on, and no others. */
  set(partitions: readonly AssignedPartition[]): void {
    this.#partitions = [...partitions];
    this.poke();
  }

  close(): void {
    this.#abort.abort();
    this.#partitions = [];
  }

  /** Starts every fetch that is possible now. */
  poke(): void {
    if (this.#abort.signal.aborted) return;
    let bufferedBytes = this.#reservedBytes;
    for (const partition of this.#partitions) bufferedBytes += partition.bufferedBytes;
    const byLeader = new Map<number, AssignedPartition[]>();
    let hasFull = false;
    for (const partition of this.#partitions) {
      if (!this.#wantsFetch(partition)) continue;
      const leaderId = this.#leaderOf(partition);
      if (leaderId === undefined || this.#busy.has(leaderId)) continue;
      if (partition.bufferedBytes >= this.#settings.maxPartitionBytes) {
        hasFull = true;
        continue;
      }
      const group = byLeader.get(leaderId);
      if (group) group.push(partition);
      else byLeader.set(leaderId, [partition]);
    }
    for (const [leaderId, group] of byLeader) {
      const room = this.#settings.prefetchBytes - bufferedBytes;
      if (room <= 0) return;
      const { maxPartitionBytes, maxBytes } = this.#settings;
      const wanted = Math.min(maxBytes, room, maxPartitionBytes * group.length);
      bufferedBytes += wanted;
      detach(this.#fetchFrom(leaderId, group, wanted, hasFull), (error) => this.#fail(error));
    }
  }

  #wantsFetch(partition: AssignedPartition): boolean {
    return (
      !partition.paused &&
      !partition.inFlight &&
      partition.fetchOffset >= 0 &&
      partition.notBefore <= this.#system.clock.monotonic()
    );
  }

  #leaderOf(partition: AssignedPartition): number | undefined {
    const metadata = this.#cluster.partition(partition.topic, partition.partition);
    if (metadata === undefined || metadata.leaderId < 0) {
      this.#refreshSoon();
      return undefined;
    }
    const topicId = this.#cluster.image.topics.get(partition.topic)?.topicId ?? ZERO_UUID;
    if (partition.topicId === ZERO_UUID) partition.topicId = topicId;
    if (partition.topicId === topicId) return metadata.leaderId;
    partition.topicId = topicId;
    this.#listener.onOutOfRange(partition, true);
    return undefined;
  }

  async #fetchFrom(
    leaderId: number,
    partitions: readonly AssignedPartition[],
    maxBytes: number,
    isShort: boolean,
  ): Promise<void> {
    const { clock, random } = this.#system;
    const { signal } = this.#abort;
    this.#busy.add(leaderId);
    this.#reservedBytes += maxBytes;
    const asked = partitions.map((partition) => {
      partition.inFlight = true;
      return { partition, version: partition.version, offset: partition.fetchOffset };
    });
    let failed = false;
    try {
      const maxWaitMs = isShort
        ? Math.min(shortWaitMs, this.#settings.maxWaitMs)
        : this.#settings.maxWaitMs;
      await this.#exchange(leaderId, asked, maxBytes, maxWaitMs);
    } catch (error) {
      failed = true;
      if (!(error instanceof ClientError && error.retriable)) this.#fail(error);
    }
    this.#reservedBytes -= maxBytes;
    for (const { partition } of asked) partition.inFlight = false;
    if (failed && !signal.aborted) {
      await clock.sleep(backoffMs(this.#cluster.backoff, 1, random), signal);
      await this.#cluster.refresh(this.#topics()).catch(() => {});
    }
    this.#busy.delete(leaderId);
    this.poke();
  }

  async #exchange(
    leaderId: number,
    asked: readonly Asked[],
    maxBytes: number,
    maxWaitMs: number,
  ): Promise<void> {
    const connection =
      this.#cluster.currentConnection(leaderId, 'data') ??
      (await this.#cluster.connection(leaderId, 'data'));
    const partitions = asked.map(({ partition }) => partition);
    const knowsIds = partitions.every(({ topicId }) => topicId !== ZERO_UUID);
    const lastVersionWithNames = 12;
    const body = fetchBody(this.#cluster, this.#settings, partitions, maxBytes, maxWaitMs);
    const response = await connection.request(Fetch, body, {
      timeoutMs: maxWaitMs + requestGraceMs,
      ...(!knowsIds && { maxVersion: lastVersionWithNames }),
    });
    if (response.errorCode !== ErrorCode.NONE) {
      throw new BrokerError(response.errorCode, `fetch from broker ${leaderId}`);
    }
    const byKey = new Map(asked.map((each) => [answerKey(each.partition), each]));
    let anyRecords: Buffer | undefined;
    const lease = new FrameLease(() => anyRecords && connection.recycle(anyRecords)).take();
    for (const topic of response.responses) {
      const name = topic.topic || this.#cluster.image.namesById.get(topic.topicId);
      for (const answer of topic.partitions) {
        const each = byKey.get(`${name}/${answer.partitionIndex}`);
        if (answer.records?.length) anyRecords = answer.records;
        if (each) await this.#accept(each, answer, lease);
      }
    }
    lease.give();
  }

  async #accept(asked: Asked, answer: PartitionAnswer, lease: FrameLease): Promise<void> {
    const { partition } = asked;
    const isStale = () => partition.revoked || partition.version !== asked.version;
    if (isStale()) return;
    if (answer.errorCode !== ErrorCode.NONE) {
      this.#refused(partition, answer.errorCode);
      return;
    }
    partition.failures = 0;
    partition.highWatermark = answer.highWatermark;
    partition.lastStableOffset = answer.lastStableOffset;
    const { records } = answer;
    if (records === null || records.length === 0) return;
    const inspected = this.#inspect(asked, records, answer.abortedTransactions);
    if (inspected === undefined || inspected.nextOffset === asked.offset) return;
    for (const codec of inspected.codecs) if (!isCodecLoaded(codec)) await loadCodec(codec);
    if (isStale()) return;
    const { topic, topicId } = partition;
    const { maxBatchBytes } = this.#settings;
    partition.push(
      new FetchedBatch(
        topic,
        topicId,
        partition.partition,
        asked.offset,
        records,
        inspected,
        answer,
        maxBatchBytes,
        lease.take(),
      ),
    );
    this.#moveToEnd(partition);
    this.#listener.onFetched(partition);
  }

  /** The broker fills its answer in the order of the request: who got something asks last. */
  #moveToEnd(partition: AssignedPartition): void {
    const index = this.#partitions.indexOf(partition);
    if (index < 0) return;
    this.#partitions.splice(index, 1);
    this.#partitions.push(partition);
  }

  #inspect(
    { partition, offset }: Asked,
    records: Buffer,
    aborted: readonly AbortedTransaction[] | null,
  ): Inspected | undefined {
    const { checkCrcs, isolationLevel } = this.#settings;
    try {
      return inspectRecords(records, {
        fetchOffset: offset,
        aborted: isolationLevel === 'read_committed' ? (aborted ?? []) : null,
        checkCrcs,
      });
    } catch (error) {
      if (!(error instanceof RecordsError)) throw error;
      const where = `topic ${partition.topic}, partition ${partition.partition}, offset ${offset}`;
      const message = `${where}: the broker sent records that cannot be read: ${error.message}`;
      this.#fail(new ClientError('CORRUPT_RECORDS', message, false, { cause: error }));
      return undefined;
    }
  }

  #refused(partition: AssignedPartition, errorCode: number): void {
    if (errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) {
      this.#listener.onOutOfRange(partition, false);
      return;
    }
    const what = `topic ${partition.topic}, partition ${partition.partition}: fetch`;
    if (!isRetriable(errorCode)) {
      this.#fail(new BrokerError(errorCode, what));
      return;
    }
    const { clock, random } = this.#system;
    partition.failures++;
    const delayMs = backoffMs(this.#cluster.backoff, partition.failures, random);
    partition.notBefore = clock.monotonic() + delayMs;
    this.#refreshSoon(delayMs);
  }

  #refreshSoon(delayMs?: number): void {
    detach(this.#refresh(delayMs), (error) => this.#fail(error));
  }

  /** Fetches metadata once, after a pause, for all that need it meanwhile; then goes on. */
  async #refresh(
    delayMs = backoffMs(this.#cluster.backoff, 1, this.#system.random),
  ): Promise<void> {
    if (this.#refreshing) return;
    this.#refreshing = true;
    await this.#system.clock.sleep(delayMs, this.#abort.signal);
    if (!this.#abort.signal.aborted) {
      await this.#cluster.refresh(this.#topics()).catch(() => {});
    }
    this.#refreshing = false;
    // One that began to wait later is not due yet: it needs a turn of its own.
    const now = this.#system.clock.monotonic();
    const due = this.#partitions.map(({ notBefore }) => notBefore - now).filter((ms) => ms > 0);
    if (due.length > 0) this.#refreshSoon(Math.max(...due));
    this.poke();
  }

  #topics(): string[] {
    return [...new Set(this.#partitions.map((partition) => partition.topic))];
  }

  #fail(error: unknown): void {
    if (this.#abort.signal.aborted) return;
    this.#listener.onFatal(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Added to the long poll: a broker that says nothing for longer is given up. */
const requestGraceMs = 30_000;

function answerKey({ topic, partition }: AssignedPartition): string {
  return `${topic}/${partition}`;
}
