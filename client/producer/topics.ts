import { detach, type System } from '../../system/index.js';
import { backoffMs } from '../backoff.js';
import type { Cluster } from '../cluster.js';
import type { AccumulatorContext } from './accumulator.js';
import type { Partitioner } from './partitioner.js';
import { TopicState } from './topic.js';

/** A topic that somebody wants and whose partitions are not known. */
interface Missing {
  isLoading: boolean;
  /** Why the broker refused it last. */
  refusal: Error | undefined;
  /** Refusals in a row. */
  failures: number;
  /** It is not asked again before this monotonic time. */
  notBeforeMs: number;
}

/** The topics of one producer; each is looked up in the cluster when it is first named. */
export class Topics {
  private readonly states = new Map<string, TopicState>();
  private readonly missing = new Map<string, Missing>();
  private readonly waiters = new Set<() => void>();
  private isStopped = false;

  constructor(
    private readonly system: Pick<System, 'clock' | 'random'>,
    private readonly cluster: Cluster,
    private readonly partitioner: Partitioner,
    private readonly context: AccumulatorContext,
  ) {}

  /** A topic's state; not ready before the cluster has told of it. */
  get(name: string): TopicState {
    let state = this.states.get(name);
    if (state === undefined) {
      state = new TopicState(name, this.partitioner, this.system.random, this.context);
      this.states.set(name, state);
    }
    state.learn(this.cluster.image);
    if (!state.isReady) this.load(name);
    return state;
  }

  /** Why the topic is not known, as far as the last answer told. */
  refusal(name: string): Error | undefined {
    return this.missing.get(name)?.refusal;
  }

  /** The same, unless the broker is being asked again. */
  standingRefusal(name: string): Error | undefined {
    const missing = this.missing.get(name);
    return missing?.isLoading ? undefined : missing?.refusal;
  }

  /**
   * Resolves when there is news of a topic that is not known yet, or after a pause; at once where
   * all are known.
   */
  async news(): Promise<void> {
    if (this.missing.size === 0 || this.isStopped) return;
    const waitMs = this.cluster.backoff.baseMs;
    await new Promise<void>((resolve) => {
      const wake = () => {
        timer.cancel();
        this.waiters.delete(wake);
        resolve();
      };
      // Others' topics may be ready: nobody waits for ever for one that does not exist.
      const timer = this.system.clock.after(waitMs, wake);
      this.waiters.add(wake);
    });
  }

  stop(): void {
    this.isStopped = true;
    this.wake();
  }

  private load(name: string): void {
    let missing = this.missing.get(name);
    if (missing === undefined) {
      missing = { isLoading: false, refusal: undefined, failures: 0, notBeforeMs: 0 };
      this.missing.set(name, missing);
    }
    const { clock } = this.system;
    if (missing.isLoading || this.isStopped || clock.monotonic() < missing.notBeforeMs) return;
    missing.isLoading = true;
    const loaded = this.cluster.topic(name, { create: true }).then(() => {
      this.missing.delete(name);
      this.wake();
    });
    detach(loaded, (error) => {
      this.refuse(missing, error as Error);
      this.wake();
    });
  }

  /** The broker says no: whoever asks meanwhile hears the same, and it is asked again later. */
  private refuse(missing: Missing, error: Error): void {
    const { clock, random } = this.system;
    missing.isLoading = false;
    missing.refusal = error;
    missing.failures++;
    const pauseMs = backoffMs(this.cluster.backoff, missing.failures, random);
    missing.notBeforeMs = clock.monotonic() + pauseMs;
  }

  private wake(): void {
    for (const wake of [...this.waiters]) wake();
  }
}
