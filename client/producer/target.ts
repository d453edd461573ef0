import type { Accumulator } from './accumulator.js';
import type { TopicState } from './topic.js';

/** Where the records of one topic and key go: resolved once, by the first `append`. */
export class PartitionTarget {
  /** The one partition of this target; undefined where they vary, or are not known yet. */
  accumulator: Accumulator | undefined;
  isResolved = false;

  constructor(
    readonly topic: string,
    readonly key: Buffer | null,
    readonly partition: number | undefined,
  ) {}

  resolve(state: TopicState): void {
    this.accumulator =
      this.partition === undefined ? state.fixed(this.key) : state.at(this.partition);
    this.isResolved = true;
  }
}
