import { ErrorCode } from '../protocol/index.js';
import { ApiError } from './broker-error.js';
import type { BrokerSettings, Properties } from './properties/index.js';

/** Where groups keep their offsets and members. */
export const OFFSETS_TOPIC = '__consumer_offsets';
/** Where transactions will keep their state. */
const TRANSACTIONS_TOPIC = '__transaction_state';

const MAX_NAME_BYTES = 249;

/** Whether clients may read the topic, but not write, create or delete it. */
export function isInternal(name: string): boolean {
  return name === OFFSETS_TOPIC || name === TRANSACTIONS_TOPIC;
}

/** What `__consumer_offsets` is created with: only the last word of each key counts. */
export function offsetsTopicProperties(settings: BrokerSettings): Properties {
  return {
    'cleanup.policy': 'compact',
    'segment.bytes': String(settings.offsetsTopicSegmentBytes),
  };
}

/** Throws ApiError INVALID_TOPIC_EXCEPTION unless Kafka allows the name. */
export function checkTopicName(name: string): void {
  let problem: string | undefined;
  if (name === '') problem = 'is empty';
  else if (name === '.' || name === '..') problem = 'is the name of a directory';
  else if (name.length > MAX_NAME_BYTES) problem = `is longer than ${MAX_NAME_BYTES} characters`;
  else if (!/^[a-zA-Z0-9._-]+$/.test(name)) problem = 'may hold only letters, digits and . _ -';
  if (problem !== undefined) {
    throw new ApiError(ErrorCode.INVALID_TOPIC_EXCEPTION, `the topic name "${name}" ${problem}`);
  }
}

/** A topic whose metrics would have the same name: `a.b` and `a_b` collide. */
export function collidingTopic(name: string, existing: Iterable<string>): string | undefined {
  const folded = name.replaceAll('.', '_');
  for (const other of existing) {
    if (other !== name && other.replaceAll('.', '_') === folded) return other;
  }
  return undefined;
}
