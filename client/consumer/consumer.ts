import { rule } from '../../config/options/index.js';
import { ErrorCode } from '../../protocol/index.js';
import { detach } from '../../system/index.js';
import { createRealSystem } from '../../system/real/index.js';
import { type ClientSystem, Cluster, type ClusterOptions } from '../cluster.js';
import { BrokerError, ClientError, ClosedError } from '../errors.js';
import { ClientEmitter } from '../events.js';
import { checkOptions, checkValue } from '../options/index.js';
import type { TopicPartition, TopicPartitionOffset } from '../topic-partition.js';
import { Assignments } from './assignments.js';
import { AutoCommit } from './auto-commit.js';
import * as check from './check.js';
import { type Committer, commitOffsets, fetchCommitted, isMembershipError } from './committer.js';
import { Fetcher } from './fetcher.js';
import { GroupSession } from './group-session.js';
import type { Message } from './message.js';
import { MessageRun } from './message-run.js';
import type { AssignedPartition } from './partition.js';
import { type Patience, waitFor } from './patience.js';
import { type Position, resetPosition, resolvePositions } from './positions.js';
import { type ConsumerOptions, type ConsumerSettings, withDefaults } from './settings.js';
import { BatchStream } from './streams.js';

/** What a member of a group wants, and what it is told. */
export interface Subscription {
  readonly topics: readonly string[];
  /**
   * Before anything of these partitions is fetched: the place to `seek`. Those without a seek
   * start at the group's offset, or as `autoOffsetReset` says.
   */
  onAssign?(partitions: readonly TopicPartition[]): void | Promise<void>;
  /**
   * The partitions go to others once this has resolved; commits are still possible, unless
   * `lost`: then the member has been thrown out, and others may have them already.
   */
  onRevoke?(partitions: readonly TopicPartition[], lost: boolean): void | Promise<void>;
}

/** What `run` calls. */
export interface RunOptions {
  /**
   * Called for one record after another of a stream; the next waits for its promise. Once it has
   * thrown, nothing more is called, and `run` rejects with that; the record is not processed.
   */
  onMessage(message: Message): void | Promise<void>;
  /** Number of ordered streams that run side by side; a partition is in one of them. Default 1. */
  readonly streams?: number;
}

/** How far a partition has been read. */
export interface PartitionLag extends TopicPartition {
  /** Records between what has been processed and the end; -1 before the first fetch. */
  readonly lag: number;
  /** The next offset to process; -1 before it is known. */
  readonly position: number;
  readonly highWatermark: number;
}

/**
 * Reads topics: as a member of a group (`subscribe`) or partitions of its own choice (`assign`);
 * as batches, in parallel ordered streams, or record by record (`run`). Survives any restart of
 * any broker. Fatal errors end the streams with that error and `stopped` with it as cause.
 */
export class Consumer extends ClientEmitter {
  readonly #system: ClientSystem;
  readonly #settings: ConsumerSettings;
  readonly #cluster: Cluster;
  readonly #ownsCluster: boolean;
  readonly #fetcher: Fetcher;
  readonly #assignments: Assignments;
  readonly #autoCommit: AutoCommit;
  readonly #abort = new AbortController();
  /** The last commit; never rejects. */
  #committing: Promise<void> = Promise.resolve();
  #session: GroupSession | undefined;
  #subscription: Subscription | undefined;
  #failure: Error | undefined;
  #run: MessageRun | undefined;
  /** The last call of `run`; never rejects. */
  #running: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  /** Until the group has been left. */
  #quitting: Promise<void> | undefined;

  /** Connects with `subscribe` or `assign`. Throws ClientError INVALID_OPTION. */
  constructor(options: ConsumerOptions, system: ClientSystem = createRealSystem()) {
    super(system.log);
    this.#system = system;
    this.#settings = withDefaults(options);
    const shared = 'cluster' in options ? options.cluster : undefined;
    this.#ownsCluster = shared === undefined;
    // Where there is no cluster to share, the options say how to find one.
    this.#cluster = shared ?? new Cluster(system, options as ClusterOptions);
    this.forward(this.#cluster);
    this.#fetcher = new Fetcher(this.#system, this.#cluster, this.#settings, {
      onFetched: (partition) => this.#assignments.streamOf(partition)?.offer(partition),
      onOutOfRange: (partition, recreated) =>
        detach(this.#reset(partition, recreated), (error) => this.#fail(error as Error)),
      onFatal: (error) => this.#fail(error),
    });
    this.#assignments = new Assignments(this.#fetcher);
    this.#autoCommit = new AutoCommit(this.#system.clock, this.#settings, {
      partitions: () => this.#assignments.partitions,
      commit: (offsets, options) => this.#commit(offsets, options),
    });
  }

  /** Joins the group for these topics. Once per consumer, and not together with `assign`. */
  subscribe(subscription: Subscription): void {
    check.checkSubscription(subscription);
    this.#assertUnused('subscribe');
    const groupId = this.#requireGroup('subscribe');
    this.#subscription = subscription;
    const settings = { ...this.#settings, groupId };
    const { topics } = subscription;
    this.#session = new GroupSession(this.#system, this.#cluster, settings, topics, {
      onAssign: (partitions) => this.#onAssign(partitions),
      onRevoke: (lost) => this.#onRevoke(lost),
      onFatal: (error) => this.#fail(error),
    });
    this.#session.start();
    if (this.#settings.autoCommit) this.#autoCommit.start();
  }

  /**
   * Reads these partitions, without membership of a group. Without a position they start at the
   * group's offset where there is a `groupId`, or as `autoOffsetReset` says.
   */
  async assign(
    partitions: readonly (TopicPartition & { readonly position?: Position })[],
  ): Promise<void> {
    check.checkAssignment(partitions);
    if (this.#session) throw misuse('assign and subscribe exclude each other');
    this.#assertOpen();
    await this.#cluster.retry('assign', { signal: this.#abort.signal }, () =>
      this.#cluster.refresh([...new Set(partitions.map(({ topic }) => topic))]),
    );
    // What it had is as good as revoked; nobody waits for a handler, which may be calling this.
    if (this.#commits) await this.#autoCommit.flush(this.#abort.signal).catch(() => {});
    const assigned = this.#assignments.replace(partitions);
    const given = assigned.flatMap((at, index) => {
      const position = partitions[index]?.position;
      return position === undefined ? [] : [{ at, position }];
    });
    await this.#seekAll(given);
    await this.#startOthers(assigned);
    if (this.#commits) this.#autoCommit.start();
  }

  /** Reads on from `position`; what is buffered is dropped. */
  async seek(at: TopicPartition, position: Position): Promise<void> {
    check.checkSeek(at, position);
    const partition = this.#assignments.get(at);
    if (partition === undefined) throw notAssigned(at);
    await this.#seekAll([{ at: partition, position }]);
    this.#fetcher.poke();
  }

  /** Delivers no further record of these partitions, or of all; they stay assigned. */
  pause(partitions: readonly TopicPartition[] = this.assignment()): void {
    check.checkPartitions(partitions, 'pause');
    for (const at of partitions) {
      const partition = this.#assignments.get(at);
      if (partition) partition.paused = true;
    }
  }

  /** Delivers these partitions, or all, again. */
  resume(partitions: readonly TopicPartition[] = this.assignment()): void {
    check.checkPartitions(partitions, 'resume');
    for (const at of partitions) {
      const partition = this.#assignments.get(at);
      if (partition === undefined) continue;
      partition.paused = false;
      this.#assignments.streamOf(partition)?.offer(partition);
    }
    this.#fetcher.poke();
  }

  /** The partitions this consumer has now. */
  assignment(): TopicPartition[] {
    return this.#assignments.partitions.map(({ topic, partition }) => ({ topic, partition }));
  }

  /** How far each assigned partition has been processed, by what the last fetch said. */
  lag(): PartitionLag[] {
    const readsCommitted = this.#settings.isolationLevel === 'read_committed';
    return this.#assignments.partitions.map((assigned) => {
      const { topic, partition, processedOffset: position, highWatermark } = assigned;
      const end = readsCommitted ? assigned.lastStableOffset : highWatermark;
      const isKnown = end >= 0 && position >= 0;
      return { topic, partition, position, highWatermark, lag: isKnown ? end - position : -1 };
    });
  }

  /**
   * Stores the group's offsets: these (each the next one to read), or what has been processed.
   * Rejects with BrokerError where the member has lost its partitions.
   */
  async commit(offsets?: readonly TopicPartitionOffset[]): Promise<void> {
    this.#requireGroup('commit');
    if (offsets !== undefined) check.checkOffsets(offsets);
    this.#assertOpen();
    await this.#commit(offsets ?? this.#autoCommit.processed(), {});
  }

  /** The group's offsets of these partitions; those without one are left out. */
  async committed(partitions: readonly TopicPartition[]): Promise<TopicPartitionOffset[]> {
    const groupId = this.#requireGroup('committed');
    check.checkPartitions(partitions, 'committed');
    return fetchCommitted(this.#cluster, groupId, partitions, { signal: this.#abort.signal });
  }

  /** All assigned partitions as one ordered stream of batches. */
  batches(): BatchStream {
    return this.streams(1)[0] as BatchStream;
  }

  /**
   * The assigned partitions, dealt out over `count` streams; within one, batches are ordered. A
   * batch counts as processed when the next is asked for. Replaces streams made before.
   */
  streams(count: number): BatchStream[] {
    checkValue('the count of streams', count, rule.count(1));
    this.#assertOpen();
    if (this.#run?.isActive && !this.#run.hasFailed) throw misuse('the consumer runs already');
    const streams = Array.from(
      { length: count },
      () =>
        new BatchStream({
          onTaken: () => this.#fetcher.poke(),
          onFinished: (partition) => this.#assignments.noteFinished(partition),
        }),
    );
    this.#assignments.setStreams(streams);
    return streams;
  }

  /**
   * Hands each record to `onMessage`; resolves when the consumer is closed. Rejects with what the
   * handler has thrown: the consumer stays open, and another `run` begins with that very record.
   */
  run(options: RunOptions): Promise<void> {
    const running = this.#runOnce(options);
    this.#running = running.catch(() => {});
    return running;
  }

  async #runOnce(options: RunOptions): Promise<void> {
    check.checkRun(options);
    const { onMessage, streams = 1 } = options;
    const before = this.#run;
    // Nothing of a partition may be handed out while a handler still has the record before it.
    if (before?.hasFailed) await before.idle;
    const run = new MessageRun(this.streams(streams), onMessage, this.#settings.values);
    this.#run = run;
    await run.done;
    await this.#quitting;
  }

  /**
   * Calls no handler any more, waits for those at work (at most `timeoutMs`, default 30 s), commits
   * what has been processed (with auto-commit), leaves the group, ends the streams. Who awaits it
   * in a handler waits for himself, for `timeoutMs`.
   */
  close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    checkOptions('close', options, { timeoutMs: rule.duration(0) });
    this.#closing ??= this.#end(options.timeoutMs ?? handlerTimeoutMs);
    return this.#closing;
  }

  async #end(timeoutMs: number): Promise<void> {
    this.#quitting = this.#quit(timeoutMs);
    await this.#quitting;
    // Whoever awaits `run` hears of it first.
    if (!this.#run?.isActive) await this.#running;
    this.announce('stopped', this.#failure ? { cause: this.#failure } : {});
  }

  async #quit(timeoutMs: number): Promise<void> {
    this.#assignments.endStreams(this.#failure);
    await this.#within(timeoutMs, () => this.#run?.idle);
    if (this.#run?.isActive) {
      this.#system.log.warn('the consumer is closed while a handler is still at work', {
        timeoutMs,
        hint: 'its record is not committed; does the handler await close()?',
      });
    }
    await this.#within(goodbyeMs, async (signal) => {
      if (this.#commits && !this.#failure) await this.#autoCommit.flush(signal).catch(() => {});
      this.#abort.abort();
      this.#autoCommit.stop();
      this.#fetcher.close();
      await this.#session?.leave();
    });
    this.#abort.abort();
    this.#autoCommit.stop();
    this.#fetcher.close();
    if (this.#ownsCluster) this.#cluster.close();
  }

  /** Waits for `work`, but no longer than this. */
  async #within(
    limitMs: number,
    work: (signal: AbortSignal) => Promise<void> | undefined,
  ): Promise<void> {
    const over = new AbortController();
    const limit = this.#system.clock.sleep(limitMs, over.signal);
    await Promise.race([work(over.signal), limit]);
    over.abort();
  }

  /** What is processed is committed by itself. */
  get #commits(): boolean {
    return this.#settings.autoCommit && this.#settings.groupId !== undefined;
  }

  async #onAssign(partitions: readonly TopicPartition[]): Promise<void> {
    if (this.#abort.signal.aborted) return;
    const assigned = this.#assignments.replace(partitions);
    const work = async () => {
      await this.#subscription?.onAssign?.(this.assignment());
      await this.#startOthers(assigned);
    };
    // Where they are somebody else's by then, its failure matters no more.
    await waitFor('onAssign', this.#patience, work, (error) => {
      if (assigned.some(({ revoked }) => !revoked)) this.#fail(error as Error);
      else this.callbacks.report('onAssign', error);
    });
  }

  async #onRevoke(lost: boolean): Promise<void> {
    const partitions = this.assignment();
    this.#assignments.stopDelivery();
    const { autoCommit, rebalanceTimeoutMs } = this.#settings;
    const commits = autoCommit && !lost;
    // What is in the application's hands still counts, or others would read it again.
    if (commits || this.#run?.isActive) {
      await this.#assignments.finished(this.#system.clock, rebalanceTimeoutMs / 2);
    }
    if (commits) {
      await this.#within(rebalanceTimeoutMs / 4, (signal) =>
        this.#autoCommit.flush(signal).catch(() => {}),
      );
    }
    const work = async () => this.#subscription?.onRevoke?.(partitions, lost);
    await waitFor('onRevoke', this.#patience, work, (error) =>
      this.callbacks.report('onRevoke', error),
    );
    this.#assignments.replace([]);
  }

  get #patience(): Patience {
    const { rebalanceTimeoutMs: limitMs } = this.#settings;
    return { system: this.#system, limitMs, signal: this.#abort.signal };
  }

  /** Positions for those that `onAssign` or the caller gave none. */
  async #startOthers(assigned: readonly AssignedPartition[]): Promise<void> {
    const { signal } = this.#abort;
    const { groupId, autoOffsetReset } = this.#settings;
    const open = assigned.filter((partition) => partition.fetchOffset < 0 && !partition.revoked);
    if (groupId !== undefined) {
      const committed = await fetchCommitted(this.#cluster, groupId, open, { signal });
      for (const offset of committed) {
        const partition = this.#assignments.get(offset);
        // Meanwhile it may have been given again: to a later assignment, which looks for itself.
        if (partition === undefined || !open.includes(partition)) continue;
        if (partition.fetchOffset >= 0) continue;
        partition.committedOffset = offset.offset;
        partition.seek(offset.offset);
      }
    }
    const left = open.filter((partition) => partition.fetchOffset < 0 && !partition.revoked);
    const why = 'the group has no offset for it';
    await this.#seekAll(
      left.map((at) => ({ at, position: resetPosition(autoOffsetReset, at, why) })),
    );
    this.#fetcher.poke();
  }

  async #seekAll(
    wanted: readonly { readonly at: AssignedPartition; readonly position: Position }[],
  ): Promise<void> {
    if (wanted.length === 0) return;
    for (const { at } of wanted) at.unseat();
    const versions = wanted.map(({ at }) => at.version);
    const { signal } = this.#abort;
    const offsets = await resolvePositions(this.#cluster, this.#settings, wanted, { signal });
    for (const [index, { at }] of wanted.entries()) {
      if (at.version === versions[index]) at.seek(offsets[index] ?? 0);
    }
  }

  async #reset(partition: AssignedPartition, recreated: boolean): Promise<void> {
    try {
      const { fetchOffset } = partition;
      const why = recreated
        ? 'the topic was re-created'
        : `offset ${fetchOffset} is not in the log`;
      const policy = this.#settings.autoOffsetReset;
      // Of a re-created topic nothing has been read: its end would leave records out.
      const reset = resetPosition(policy, partition, why);
      await this.#seekAll([{ at: partition, position: recreated ? 'beginning' : reset }]);
      this.#fetcher.poke();
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  async #commit(
    offsets: readonly TopicPartitionOffset[],
    options: { signal?: AbortSignal },
  ): Promise<void> {
    if (offsets.length === 0) return;
    const committer = this.#committer();
    // One after another: else an older one that is tried again could overtake a later one.
    const turn = this.#committing.then(() => this.#store(committer, offsets, options));
    this.#committing = turn.catch(() => {});
    await turn;
  }

  /** Throws BrokerError UNKNOWN_MEMBER_ID where it is not, or no more, a member of its group. */
  #committer(): Committer {
    const groupId = this.#requireGroup('commit');
    if (this.#session === undefined) {
      return { groupId, generation: -1, memberId: '', groupInstanceId: null };
    }
    const { generation, memberId } = this.#session.membership;
    // Without a generation it would pass for an outsider, who may set an empty group's offsets.
    if (generation < 0) {
      throw new BrokerError(ErrorCode.UNKNOWN_MEMBER_ID, `group ${groupId}: commit`);
    }
    const groupInstanceId = this.#settings.groupInstanceId ?? null;
    return { groupId, generation, memberId, groupInstanceId };
  }

  async #store(
    committer: Committer,
    offsets: readonly TopicPartitionOffset[],
    options: { signal?: AbortSignal },
  ): Promise<void> {
    try {
      await commitOffsets(this.#cluster, committer, offsets, {
        signal: options.signal ?? this.#abort.signal,
      });
    } catch (error) {
      if (isMembershipError(error)) this.#session?.commitRefused(error.errorCode);
      throw error;
    }
    for (const each of offsets) {
      const partition = this.#assignments.get(each);
      if (partition) partition.committedOffset = each.offset;
    }
  }

  #fail(error: Error): void {
    if (this.#failure || this.#abort.signal.aborted) return;
    this.#failure = error;
    this.#assignments.endStreams(error);
    // It has failed already: there is nothing more to tell.
    detach(this.close(), () => {});
  }

  #requireGroup(what: string): string {
    const { groupId } = this.#settings;
    if (groupId === undefined) throw misuse(`${what} needs a groupId`);
    return groupId;
  }

  #assertUnused(what: string): void {
    this.#assertOpen();
    const isUsed = this.#session !== undefined || this.#assignments.partitions.length > 0;
    if (isUsed) throw misuse(`${what} can be called once, and not together with assign`);
  }

  #assertOpen(): void {
    if (this.#abort.signal.aborted) throw new ClosedError('the consumer', this.#failure);
  }
}

/** How long `close` waits for handlers. */
const handlerTimeoutMs = 30_000;
/** How long the last commit and the farewell to the group may take. */
const goodbyeMs = 5000;

function misuse(message: string): ClientError {
  return new ClientError('MISUSE', message, false);
}

function notAssigned({ topic, partition }: TopicPartition): ClientError {
  return misuse(`topic ${topic}, partition ${partition} is not assigned to this consumer`);
}
