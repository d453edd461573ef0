import { detach, type System } from '../../system/index.js';
import type { Cluster } from '../cluster.js';
import type { AccumulatorContext } from './accumulator.js';
import type { Partitioner } from './partitioner.js';
import { TopicState } from './topic.js';

/** The topics of one producer; each is looked up in the cluster when it is first named. */
export class Topics {
  private readonly states = new Map<string, TopicState>();
  private readonly loading = new Set<string>();
  /** Topics that never will be known, and why. */
  private readonly refusals = new Map<string, Error>();
  private waiters: (() => void)[] = [];
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
    return this.refusals.get(name);
  }

  /** Why the topic cannot be written to; asked for anew with the next call of `get`. */
  takeRefusal(name: string): Error | undefined {
    const refusal = this.refusals.get(name);
    this.refusals.delete(name);
    return refusal;
  }

  /** Resolves when there is news of a topic that is not known yet; at once where all are. */
  async news(): Promise<void> {
    if (this.loading.size === 0 || this.isStopped) return;
    const waitMs = this.cluster.backoff.baseMs;
    await new Promise<void>((resolve) => {
      this.waiters.push(resolve);
      // Others' topics may be ready: nobody waits for ever for one that does not exist.
      this.system.clock.after(waitMs, resolve);
    });
  }

  stop(): void {
    this.isStopped = true;
    this.wake();
  }

  private load(name: string): void {
    if (this.loading.has(name) || this.isStopped) return;
    this.loading.add(name);
    const loaded = () => {
      this.loading.delete(name);
      this.wake();
    };
    detach(this.cluster.topic(name, { create: true }).then(loaded), (error) => {
      this.refusals.set(name, error as Error);
      loaded();
    });
  }

  private wake(): void {
    const waiters = this.waiters;
    this.waiters = [];
    for (const resolve of waiters) resolve();
  }
}
