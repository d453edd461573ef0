import type { Cluster } from '../cluster.js';
import { ClientError } from '../errors.js';
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, listOffsets } from '../offsets.js';
import type { RetryOptions } from '../retry.js';
import type { TopicPartition } from '../topic-partition.js';
import type { AutoOffsetReset, ConsumerSettings } from './settings.js';

/** Where reading starts: an offset, an end of the log, or the first record at or after a time. */
export type Position = number | 'beginning' | 'end' | { readonly timestamp: number };

/** A position is needed, there is none in the log, and `autoOffsetReset` is `error`. */
export class NoOffsetError extends ClientError {
  override readonly name = 'NoOffsetError';

  constructor(
    readonly topic: string,
    readonly partition: number,
    why: string,
  ) {
    const hint = 'seek to one, or set autoOffsetReset to earliest or latest';
    super('NO_OFFSET', `topic ${topic}, partition ${partition}: ${why}; ${hint}`, false);
  }
}

/** The position that the reset policy stands for. Throws NoOffsetError where it is `error`. */
export function resetPosition(
  policy: AutoOffsetReset,
  { topic, partition }: TopicPartition,
  why: string,
): Position {
  if (policy === 'error') throw new NoOffsetError(topic, partition, why);
  return policy === 'earliest' ? 'beginning' : 'end';
}

/** Turns positions into offsets, in the same order. A time after the last record is the end. */
export async function resolvePositions(
  cluster: Cluster,
  settings: Pick<ConsumerSettings, 'isolationLevel'>,
  wanted: readonly { readonly at: TopicPartition; readonly position: Position }[],
  options: RetryOptions = {},
): Promise<number[]> {
  const offsets = new Array<number>(wanted.length).fill(-1);
  const readCommitted = settings.isolationLevel === 'read_committed';
  const lookUp = async (indexes: readonly number[], timestampOf: (index: number) => number) => {
    if (indexes.length === 0) return;
    const queries = indexes.map((index) => {
      const { topic, partition } = (wanted[index] as (typeof wanted)[number]).at;
      return { topic, partition, timestamp: timestampOf(index) };
    });
    const found = await listOffsets(cluster, queries, { ...options, readCommitted });
    for (const [nth, index] of indexes.entries()) offsets[index] = found[nth]?.offset ?? -1;
  };
  const open: number[] = [];
  for (const [index, { position }] of wanted.entries()) {
    if (typeof position === 'number') offsets[index] = position;
    else open.push(index);
  }
  await lookUp(open, (index) => timestampFor(wanted[index]?.position));
  await lookUp(
    open.filter((index) => offsets[index] === -1),
    () => LATEST_TIMESTAMP,
  );
  return offsets;
}

function timestampFor(position: Position | undefined): number {
  if (position === 'beginning') return EARLIEST_TIMESTAMP;
  return typeof position === 'object' ? position.timestamp : LATEST_TIMESTAMP;
}
