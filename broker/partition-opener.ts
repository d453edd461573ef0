import type { System, Timer } from '../system/index.js';
import { Descriptors, RESERVE_SHARE_OF_LOGS } from './descriptors.js';
import { Log, LogError, TailMemory, Turns, toStorageError } from './log/index.js';
import type { LogDirectory } from './log-directory.js';
import type { Partition } from './partition.js';

/** Newest batches of all logs that are served from memory. */
const TAIL_BYTES = 16 * 1024 * 1024;
/** How long an offline partition waits before it is tried again: at first, and at most. */
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;
/** Its own and one in passing. */
const DESCRIPTORS_OF_OPENING = 2;

/** What opening a log needs and does beyond the log itself. */
export interface OpenerEvents {
  /** Its directory must be there, and belong to it. */
  claim(partition: Partition): Promise<void>;
  /** A log's recovery point went back and must be saved. */
  saveCheckpoints(): Promise<void>;
  /** A log that was offline is open; it may know more than the metadata. */
  cameBack(partition: Partition): Promise<void>;
}

/** The attempts at a partition. Whoever fails again soon after it came back waits longer. */
interface Attempt {
  timer: Timer | undefined;
  running: Promise<void> | undefined;
  delayMs: number;
  /** When the log was opened, on the monotonic clock; undefined while it is not. */
  openSince: number | undefined;
}

/**
 * Opens the logs of partitions, and opens them anew after the disk has failed them: a fault that
 * passes must not need a restart. While its log is not open, a partition is offline: refused to
 * clients with KAFKA_STORAGE_ERROR, which they try again, and said as a problem.
 */
export class PartitionOpener {
  private readonly attempts = new Map<Partition, Attempt>();
  /** Partitions whose directory is their own: what they know of their log is true. */
  private readonly claimed = new WeakSet<Partition>();
  /** Let go of for good: whatever their logs still say, nobody opens their directories again. */
  private readonly released = new WeakSet<Partition>();
  private readonly tail = new TailMemory(TAIL_BYTES);
  private readonly turns = new Turns();
  private readonly descriptors: Descriptors;
  /** Logs that are being opened, and may not have their descriptors yet. */
  private opening = 0;

  constructor(
    private readonly system: System,
    private readonly directory: LogDirectory,
    private readonly events: OpenerEvents,
  ) {
    this.descriptors = new Descriptors(system.disk, system.clock, RESERVE_SHARE_OF_LOGS);
  }

  /** Opens a partition's log for the first time. Throws LogError. */
  async open(partition: Partition): Promise<void> {
    await this.events.claim(partition);
    this.claimed.add(partition);
    // Once more: claiming a new directory forgets what was known of another one of its name.
    await this.openLog(partition, this.expected(partition));
  }

  /**
   * Logs too many would take the descriptors of all others, of the checkpoints and the clients.
   * A log that was open before is not asked: its descriptor is from the share that is kept free.
   */
  private async openIfRoom(partition: Partition): Promise<void> {
    if (this.descriptors.isShort(this.opening * DESCRIPTORS_OF_OPENING)) {
      const { ceiling } = this.descriptors;
      const text = `it is not opened while ${ceiling} file descriptors or more are in use`;
      const message = `${text}, raise ulimit -n (LimitNOFILE of the service)`;
      throw new LogError('NO_DESCRIPTORS', message);
    }
    this.opening++;
    try {
      await this.open(partition);
    } finally {
      this.opening--;
    }
  }

  private expected(partition: Partition) {
    const { topic, index } = partition.id;
    const known = this.directory.recoveryOptions(topic, index);
    partition.expect(known);
    return known;
  }

  /** The same; where it fails, the partition is offline and tried again. */
  async openOrRetry(partition: Partition): Promise<void> {
    this.expected(partition);
    try {
      await this.openIfRoom(partition);
    } catch (error) {
      this.fail(partition, toStorageError(error, partition.name));
    }
  }

  /** Stops trying, for good; resolves when no attempt is under way any more. */
  async release(partition: Partition): Promise<void> {
    this.released.add(partition);
    const attempt = this.attempts.get(partition);
    this.attempts.delete(partition);
    attempt?.timer?.cancel();
    await attempt?.running;
    this.system.problems.clear(problemOf(partition));
  }

  private fail(partition: Partition, failure: LogError): void {
    if (this.released.has(partition)) return;
    partition.goOffline(failure);
    const attempt: Attempt = this.attempts.get(partition) ?? {
      timer: undefined,
      running: undefined,
      delayMs: FIRST_RETRY_MS,
      openSince: undefined,
    };
    this.attempts.set(partition, attempt);
    const openMs = this.system.clock.monotonic() - (attempt.openSince ?? Number.POSITIVE_INFINITY);
    if (openMs > LONGEST_RETRY_MS) attempt.delayMs = FIRST_RETRY_MS;
    attempt.openSince = undefined;
    const text = `${partition.name} is offline, and tried again: ${failure.message}`;
    this.system.problems.raise(problemOf(partition), text);
    attempt.timer ??= this.system.clock.after(attempt.delayMs, () => {
      attempt.timer = undefined;
      attempt.delayMs = Math.min(attempt.delayMs * 2, LONGEST_RETRY_MS);
      attempt.running = this.tryAgain(partition, attempt);
    });
  }

  private async tryAgain(partition: Partition, attempt: Attempt): Promise<void> {
    try {
      const resume = await partition.detach();
      if (this.claimed.has(partition)) {
        await this.openLog(partition, { ...partition.known, clean: false, resume });
      } else await this.openIfRoom(partition);
      await this.events.cameBack(partition);
      if (partition.isOffline || this.attempts.get(partition) !== attempt) return;
      attempt.openSince = this.system.clock.monotonic();
      this.system.problems.clear(problemOf(partition));
    } catch (error) {
      this.fail(partition, toStorageError(error, partition.name));
    }
  }

  private async openLog(
    partition: Partition,
    found: ReturnType<LogDirectory['recoveryOptions']> & {
      resume?: { endOffset: number } | undefined;
    },
  ): Promise<void> {
    const { topic, index } = partition.id;
    const path = this.directory.partitionPath(topic, index);
    const log = await Log.open(this.system, path, partition.settings.log, {
      ...found,
      tail: this.tail,
      turns: this.turns,
      onRecoveryPointLowered: () => this.events.saveCheckpoints(),
      onFailure: (failure) => this.fail(partition, failure),
    });
    await partition.attach(log);
  }
}

function problemOf({ name }: Partition): string {
  return `partition ${name}`;
}
