import { ErrorCode, Produce, type ProduceRequest } from '../../protocol/index.js';
import { handler } from '../handler.js';
import { type DecompressionBudget, decompressionBudget } from '../log/index.js';
import type { Partition } from '../partition.js';
import type { FoundTopic } from '../resources/index.js';
import { isInternal } from '../topic-names.js';
import { errorCodeOf, messageOf } from './error-code.js';

type TopicData = ProduceRequest['topicData'][number];
type PartitionData = TopicData['partitionData'][number];

/** What became of one partition's batches. */
interface Outcome {
  readonly index: number;
  readonly errorCode: number;
  readonly baseOffset: number;
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
  readonly errorMessage: string | null;
}

/** All records of a partition are appended, or none; partitions do not depend on each other. */
export const produce = handler(Produce, (request, { topics }) => {
  const { acks } = request;
  if (acks < -1 || acks > 1) return refuseAll(request);
  const waits: Promise<unknown>[] = [];
  const budget = decompressionBudget();
  const responses = request.topicData.map(({ name, topicId, partitionData }) => {
    const topic = topics.find(name, topicId, 'WRITE');
    const partitionResponses: Outcome[] = [];
    for (const part of partitionData) {
      const outcome = append(topic, part, acks, budget);
      if (outcome instanceof Promise) {
        const place = partitionResponses.push(UNKNOWN) - 1;
        const settled = outcome.then((late) => {
          partitionResponses[place] = late;
        });
        waits.push(settled);
      } else {
        partitionResponses.push(outcome);
      }
    }
    return { name, topicId, partitionResponses };
  });
  if (acks === 0) return refuseSilently(responses.flatMap((topic) => topic.partitionResponses));
  return waits.length === 0 ? { responses } : Promise.all(waits).then(() => ({ responses }));
});

/** With acks=0 nobody hears of an error; as in Kafka a closed connection has to tell of it. */
function refuseSilently(outcomes: readonly Outcome[]): null {
  const failed = outcomes.find(({ errorCode }) => errorCode !== ErrorCode.NONE);
  if (failed === undefined) return null;
  const reason = failed.errorMessage ?? `error ${failed.errorCode}`;
  throw new Error(`a produce request with acks=0 failed: ${reason}`);
}

function refuseAll({ topicData }: ProduceRequest) {
  const refusal = (part: PartitionData) =>
    failure(part.index, ErrorCode.INVALID_REQUIRED_ACKS, 'acks must be 0, 1 or -1 (all)');
  return {
    responses: topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(refusal),
    })),
  };
}

function append(
  topic: FoundTopic,
  { index, records }: PartitionData,
  acks: number,
  budget: DecompressionBudget,
): Outcome | Promise<Outcome> {
  if (topic.errorCode !== ErrorCode.NONE) return failure(index, topic.errorCode, null);
  if (isInternal(topic.name)) {
    return failure(index, ErrorCode.INVALID_TOPIC_EXCEPTION, `${topic.name} is internal`);
  }
  const partition = topic.partition(index);
  if (partition === undefined) return failure(index, topic.missingPartition(index), null);
  if (records === null || records.length === 0) {
    return failure(index, ErrorCode.INVALID_RECORD, 'there are no records');
  }
  if (acks === -1 && !partition.hasEnoughReplicas) {
    return failure(index, ErrorCode.NOT_ENOUGH_REPLICAS, null);
  }
  try {
    return appendTo(partition, records, acks, budget);
  } catch (error) {
    return failure(index, errorCodeOf(error), messageOf(error));
  }
}

function appendTo(
  partition: Partition,
  records: Buffer,
  acks: number,
  budget: DecompressionBudget,
): Outcome | Promise<Outcome> {
  const { index } = partition.id;
  const appended = partition.append(records, budget);
  const outcome: Outcome = {
    index,
    errorCode: ErrorCode.NONE,
    baseOffset: appended.baseOffset,
    logAppendTimeMs: appended.logAppendTime,
    logStartOffset: partition.startOffset,
    errorMessage: null,
  };
  const durable = acks === 0 ? undefined : partition.durable(appended);
  if (durable === undefined) return outcome;
  return durable.then(
    () => outcome,
    (error: unknown) => failure(index, errorCodeOf(error), messageOf(error)),
  );
}

function failure(index: number, errorCode: number, errorMessage: string | null): Outcome {
  const nothing = { baseOffset: -1, logAppendTimeMs: -1, logStartOffset: -1 };
  return { index, errorCode, ...nothing, errorMessage };
}

/** Keeps a place for an outcome that is still to come. */
const UNKNOWN = failure(-1, ErrorCode.UNKNOWN_SERVER_ERROR, null);
