import { ErrorCode, ListOffsets, type ListOffsetsRequest } from '../../protocol/index.js';
import { handler, type RequestContext } from '../handler.js';
import type { Partition } from '../partition.js';
import { errorCodeOf } from './error-code.js';
import { leaderEpochError } from './leader-epoch.js';

/** What a timestamp below zero stands for. */
const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3;
const EARLIEST_LOCAL = -4;
const LATEST_TIERED = -5;
const EARLIEST_PENDING_UPLOAD = -6;

type PartitionRequest = ListOffsetsRequest['topics'][number]['partitions'][number];

/** An offset with what is known of its record. */
interface Found {
  readonly offset: number;
  readonly timestamp: number;
  readonly leaderEpoch: number;
}

interface PartitionAnswer extends Found {
  readonly partitionIndex: number;
  readonly errorCode: number;
}

interface TopicAnswer {
  readonly name: string;
  readonly partitions: readonly PartitionAnswer[];
}

const NOTHING: Found = { offset: -1, timestamp: -1, leaderEpoch: -1 };

export const listOffsets = handler(ListOffsets, async (request, context) => {
  const repeated = repeatedPartitions(request);
  const topics: TopicAnswer[] = [];
  for (const { name, partitions } of request.topics) {
    const answers: PartitionAnswer[] = [];
    // One after another: each look-up by time may read and decompress a batch.
    for (const one of partitions) {
      const isRepeated = repeated.has(keyOf(name, one));
      const refused = { partitionIndex: one.partitionIndex, ...NOTHING };
      answers.push(
        isRepeated
          ? { ...refused, errorCode: ErrorCode.INVALID_REQUEST }
          : await lookUp(name, one, context),
      );
    }
    topics.push({ name, partitions: answers });
  }
  return { topics };
});

/** What a request names more than once, which Kafka refuses. */
function repeatedPartitions({ topics }: ListOffsetsRequest): ReadonlySet<string> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { name, partitions } of topics) {
    for (const one of partitions) {
      const key = keyOf(name, one);
      (seen.has(key) ? repeated : seen).add(key);
    }
  }
  return repeated;
}

function keyOf(name: string, { partitionIndex }: PartitionRequest): string {
  return `${name}/${partitionIndex}`;
}

async function lookUp(
  name: string,
  request: PartitionRequest,
  context: RequestContext,
): Promise<PartitionAnswer> {
  const { partitionIndex, currentLeaderEpoch, timestamp } = request;
  const topic = context.topics.find(name, '', 'DESCRIBE');
  const partition = topic.partition(partitionIndex);
  const refuse = (errorCode: number) => ({ partitionIndex, errorCode, ...NOTHING });
  if (topic.errorCode !== ErrorCode.NONE) return refuse(topic.errorCode);
  if (partition === undefined) return refuse(topic.missingPartition(partitionIndex));
  if (timestamp < EARLIEST_PENDING_UPLOAD) return refuse(ErrorCode.UNSUPPORTED_VERSION);
  const epochError = leaderEpochError(partition, currentLeaderEpoch);
  if (epochError !== ErrorCode.NONE) return refuse(epochError);
  try {
    const found = await find(partition, timestamp);
    return { partitionIndex, errorCode: ErrorCode.NONE, ...found };
  } catch (error) {
    return refuse(errorCodeOf(error));
  }
}

async function find(partition: Partition, timestamp: number): Promise<Found> {
  const { leaderEpoch } = partition;
  switch (timestamp) {
    case LATEST:
      return { offset: partition.highWatermark, timestamp: -1, leaderEpoch };
    case EARLIEST:
    case EARLIEST_LOCAL:
    case EARLIEST_PENDING_UPLOAD:
      return { offset: partition.startOffset, timestamp: -1, leaderEpoch };
    case MAX_TIMESTAMP:
      return (await partition.offsetForMaxTimestamp()) ?? NOTHING;
    case LATEST_TIERED:
      return NOTHING;
    default:
      return (await partition.offsetForTimestamp(timestamp)) ?? NOTHING;
  }
}
