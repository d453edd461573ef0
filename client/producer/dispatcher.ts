import { ErrorCode, Produce, type ProduceRequestInput } from '../../protocol/index.js';
import { detach, type System, type Timer } from '../../system/index.js';
import type { Cluster } from '../cluster.js';
import type { Connection } from '../connection/index.js';
import { BrokerError } from '../errors.js';
import type { Accumulator } from './accumulator.js';
import { type Batch, restampBatch, stampSequence } from './batch.js';
import type { IdentitySource } from './identity.js';
import type { ProducerMemory } from './memory.js';
import type { ProducerSettings } from './options.js';
import {
  answersOf,
  type PartitionAnswer,
  produceRequest,
  type Sending,
} from './produce-request.js';
import type { Settler } from './settler.js';
import { maySend, takeNext } from './step.js';

/** What is under way to one broker. */
interface Route {
  inFlight: number;
  isConnecting: boolean;
}

/** One request in the making. */
interface Load {
  readonly connection: Connection;
  readonly sendings: Sending[];
  bytes: number;
}

/** With acks 0 nothing answers: this much may wait in a socket before we wait for it. */
const MAX_UNANSWERED_BYTES = 4 * 1024 * 1024;
const UNANSWERED_POLL_MS = 5;
/** No timer is set for longer: what is due later is looked at again then. */
const MAX_SLEEP_MS = 3_600_000;
const unanswered: PartitionAnswer = {
  errorCode: ErrorCode.NONE,
  baseOffset: -1,
  logAppendTimeMs: -1,
};

/**
 * Sends batches: each turn of the event loop it looks once at every partition with something to
 * send and fills at most `maxInFlight` requests per broker, each with one batch of any number of
 * partitions. An open batch goes when its linger is over, not before a request may go.
 */
export class Dispatcher {
  /** Partitions with records that have not been settled. */
  private readonly active = new Set<Accumulator>();
  private readonly routes = new Map<number, Route>();
  private readonly refreshing = new Set<string>();
  private isPumpScheduled = false;
  private timer: Timer | undefined;
  private timerAtMs = Number.POSITIVE_INFINITY;
  private isStopped = false;

  constructor(
    private readonly system: Pick<System, 'clock'>,
    private readonly cluster: Cluster,
    private readonly settings: ProducerSettings,
    private readonly memory: ProducerMemory,
    private readonly identity: IdentitySource,
    private readonly settler: Settler,
  ) {}

  get accumulators(): ReadonlySet<Accumulator> {
    return this.active;
  }

  /** Why a batch of the topic waits that was sent before. */
  trouble(topic: string): Error | undefined {
    for (const { topic: name, partition, line } of this.active) {
      if (name !== topic || line.lastError === undefined) continue;
      if (typeof line.lastError !== 'number') return line.lastError;
      return new BrokerError(line.lastError, `topic ${topic}, partition ${partition}`);
    }
    return undefined;
  }

  /** A partition has a new record batch. */
  activate(accumulator: Accumulator): void {
    this.active.add(accumulator);
    if (this.settings.lingerMs === 0) this.schedulePump();
    else this.wakeAt(accumulator.openedMs + this.settings.lingerMs);
  }

  /** Looks at everything in the next turn of the event loop. */
  schedulePump(): void {
    if (this.isPumpScheduled || this.isStopped) return;
    this.isPumpScheduled = true;
    this.system.clock.nextTurn(() => {
      this.isPumpScheduled = false;
      this.pump();
    });
  }

  /** Puts a finished batch into its line. */
  enqueue(accumulator: Accumulator, batch: Batch): void {
    this.settler.apply(accumulator, { type: 'queued', batch });
  }

  /** Sends nothing more; all that is not settled fails with `reason`. */
  stop(reason: Error): void {
    this.isStopped = true;
    this.timer?.cancel();
    for (const accumulator of this.active) {
      accumulator.close();
      this.settler.apply(accumulator, { type: 'abandon', reason });
    }
    this.active.clear();
  }

  refreshMetadata(topic: string): void {
    if (this.refreshing.has(topic) || this.isStopped) return;
    this.refreshing.add(topic);
    const done = () => {
      this.system.clock.after(this.cluster.backoff.baseMs, () => {
        this.refreshing.delete(topic);
        this.schedulePump();
      });
      this.schedulePump();
    };
    detach(this.cluster.refresh([topic]).then(done), done);
  }

  private pump(): void {
    if (this.isStopped) return;
    let hasSent = true;
    while (hasSent) {
      hasSent = false;
      const loads = new Map<number, Load>();
      const now = this.system.clock.monotonic();
      for (const accumulator of [...this.active]) this.load(accumulator, loads, now);
      for (const [nodeId, load] of loads) {
        if (load.sendings.length === 0) continue;
        hasSent = true;
        this.send(nodeId, load);
      }
    }
  }

  /** Puts the partition's next batch into its broker's request, if one may go now. */
  private load(accumulator: Accumulator, loads: Map<number, Load>, now: number): void {
    const { line } = accumulator;
    this.expire(accumulator, now);
    if (line.batches.length === 0 && !accumulator.isOpen) {
      this.active.delete(accumulator);
      return;
    }
    const hasWaiting = line.batches.length > line.inFlight;
    if (!hasWaiting && !this.isDue(accumulator, now)) return;
    if (!maySend(line, now)) {
      if (line.retryAtMs > now) this.wakeAt(line.retryAtMs);
      return;
    }
    if (this.settings.isIdempotent && !this.identity.isReady) return;
    const load = this.findLoad(accumulator, loads, now);
    if (load === undefined) return;
    if (!hasWaiting) accumulator.close();
    const bytes = line.batches.find(({ state }) => state === 'waiting')?.bytes.length ?? 0;
    if (load.bytes > 0 && load.bytes + bytes > this.settings.maxRequestBytes) return;
    const batch = takeNext(line, this.identity.current, now);
    if (batch === undefined) return;
    if (batch.isTimeRefused) restampBatch(batch, this.system.clock.now(), this.settings);
    else stampSequence(batch);
    load.sendings.push({ accumulator, batch });
    load.bytes += bytes;
    // To the end, so that what a full request leaves out comes first next time.
    this.active.delete(accumulator);
    this.active.add(accumulator);
  }

  /** Gives up what is too old; opens too, where no broker has come for them. */
  private expire(accumulator: Accumulator, now: number): void {
    const { deliveryTimeoutMs } = this.settings;
    if (deliveryTimeoutMs === Number.POSITIVE_INFINITY) return;
    const { line } = accumulator;
    const oldest = line.batches.find(({ state }) => state === 'waiting')?.createdMs;
    const deadline = (oldest ?? accumulator.openedMs) + deliveryTimeoutMs;
    if (oldest === undefined && !accumulator.isOpen) return;
    if (now < deadline) {
      this.wakeAt(deadline);
      return;
    }
    if (oldest === undefined) accumulator.close();
    this.settler.apply(accumulator, { type: 'expire' });
  }

  private isDue(accumulator: Accumulator, now: number): boolean {
    if (!accumulator.isOpen) return false;
    if (this.memory.isPressed) return true;
    const dueMs = accumulator.openedMs + this.settings.lingerMs;
    if (now >= dueMs) return true;
    this.wakeAt(dueMs);
    return false;
  }

  /** The request to the partition's leader that is being filled; undefined where none may go. */
  private findLoad(
    { topic, partition }: Accumulator,
    loads: Map<number, Load>,
    now: number,
  ): Load | undefined {
    const leaderId = this.cluster.partition(topic, partition)?.leaderId ?? -1;
    if (leaderId < 0) {
      this.refreshMetadata(topic);
      return undefined;
    }
    const started = loads.get(leaderId);
    if (started !== undefined) return started;
    const route = this.routeTo(leaderId);
    if (route.inFlight >= this.settings.maxInFlight) return undefined;
    const connection = this.cluster.currentConnection(leaderId, 'data');
    if (connection === undefined) {
      this.connect(leaderId, route, topic);
      return undefined;
    }
    if (this.settings.acks === 0 && connection.queuedBytes > MAX_UNANSWERED_BYTES) {
      this.wakeAt(now + UNANSWERED_POLL_MS);
      return undefined;
    }
    const load: Load = { connection, sendings: [], bytes: 0 };
    loads.set(leaderId, load);
    return load;
  }

  private routeTo(nodeId: number): Route {
    let route = this.routes.get(nodeId);
    if (route === undefined) {
      route = { inFlight: 0, isConnecting: false };
      this.routes.set(nodeId, route);
    }
    return route;
  }

  private connect(nodeId: number, route: Route, topic: string): void {
    if (route.isConnecting) return;
    route.isConnecting = true;
    const connected = this.cluster.connection(nodeId, 'data').then(() => {
      route.isConnecting = false;
      this.schedulePump();
    });
    detach(connected, () => {
      route.isConnecting = false;
      this.refreshMetadata(topic);
    });
  }

  private send(nodeId: number, { connection, sendings }: Load): void {
    const { acks, requestTimeoutMs } = this.settings;
    const body = produceRequest(sendings, this.cluster.image, acks, requestTimeoutMs);
    if (acks === 0) {
      this.sendUnanswered(connection, body, sendings);
      return;
    }
    const route = this.routeTo(nodeId);
    route.inFlight++;
    const answered = connection
      .request(Produce, body, { timeoutMs: requestTimeoutMs })
      .finally(() => route.inFlight--)
      .then((response) => this.settleAll(sendings, answersOf(body, response)));
    detach(answered, (cause) => this.loseAll(sendings, cause as Error));
  }

  private sendUnanswered(
    connection: Connection,
    body: ProduceRequestInput,
    sendings: readonly Sending[],
  ): void {
    try {
      connection.send(Produce, body);
    } catch (error) {
      this.loseAll(sendings, error as Error);
      return;
    }
    this.settleAll(sendings, () => unanswered);
  }

  private settleAll(
    sendings: readonly Sending[],
    answerTo: (topic: string, partition: number) => PartitionAnswer | undefined,
  ): void {
    if (this.isStopped) return;
    for (const { accumulator, batch } of sendings) {
      // A callback of the one before may have ended it all.
      if (this.isStopped) return;
      const answer = answerTo(accumulator.topic, accumulator.partition);
      if (answer === undefined) {
        const cause = new Error('the broker left the partition out of its answer');
        this.settler.apply(accumulator, { type: 'lost', batch, cause });
      } else {
        this.settler.apply(accumulator, { type: 'answered', batch, ...answer });
      }
    }
    this.schedulePump();
  }

  private loseAll(sendings: readonly Sending[], cause: Error): void {
    if (this.isStopped) return;
    for (const { accumulator, batch } of sendings) {
      if (this.isStopped) return;
      this.settler.apply(accumulator, { type: 'lost', batch, cause });
    }
    this.schedulePump();
  }

  private wakeAt(atMs: number): void {
    if (atMs >= this.timerAtMs || this.isStopped) return;
    this.timer?.cancel();
    this.timerAtMs = atMs;
    const delayMs = Math.min(atMs - this.system.clock.monotonic(), MAX_SLEEP_MS);
    this.timer = this.system.clock.after(delayMs, () => {
      this.timerAtMs = Number.POSITIVE_INFINITY;
      this.pump();
    });
  }
}
