import {
  ErrorCode,
  type ProduceRequestInput,
  type ProduceResponse,
  ZERO_UUID,
} from '../../protocol/index.js';
import type { ClusterImage } from '../metadata.js';
import type { Accumulator } from './accumulator.js';
import type { Batch } from './batch.js';

/** One partition's part of a request. */
export interface Sending {
  readonly accumulator: Accumulator;
  readonly batch: Batch;
}

/** What the broker said of one batch. */
export interface PartitionAnswer {
  readonly errorCode: number;
  readonly baseOffset: number;
  readonly logAppendTimeMs: number;
}

/** The request for these batches, at most one of each partition. */
export function produceRequest(
  sendings: readonly Sending[],
  image: ClusterImage,
  acks: number,
  timeoutMs: number,
): ProduceRequestInput {
  const topics = new Map<string, { index: number; records: Buffer }[]>();
  for (const { accumulator, batch } of sendings) {
    const partitions = topics.get(accumulator.topic) ?? [];
    topics.set(accumulator.topic, partitions);
    partitions.push({ index: accumulator.partition, records: batch.bytes });
  }
  // Both are given: the version decides whether topics go by name or by id.
  const topicData = [...topics].map(([name, partitionData]) => ({
    name,
    topicId: image.topics.get(name)?.topicId ?? ZERO_UUID,
    partitionData,
  }));
  return { transactionalId: null, acks, timeoutMs, topicData };
}

/** Finds the answer to each batch of the request; undefined where the broker left it out. */
export function answersOf(
  body: ProduceRequestInput,
  response: ProduceResponse,
): (topic: string, partition: number) => PartitionAnswer | undefined {
  const answers = new Map<string, PartitionAnswer>();
  for (const { name, topicId, partitionResponses } of response.responses) {
    // Only one of the two is set, by version.
    const topic = name || body.topicData.find((asked) => asked.topicId === topicId)?.name;
    for (const { index, errorCode, baseOffset, logAppendTimeMs } of partitionResponses) {
      const isDone = errorCode === ErrorCode.NONE;
      answers.set(`${index} ${topic}`, {
        errorCode,
        baseOffset: isDone ? baseOffset : -1,
        logAppendTimeMs: isDone ? logAppendTimeMs : -1,
      });
    }
  }
  return (topic, partition) => answers.get(`${partition} ${topic}`);
}
