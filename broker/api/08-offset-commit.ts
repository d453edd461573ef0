import { ErrorCode, OffsetCommit, type OffsetCommitRequest } from '../../protocol/index.js';
import type { OffsetEntry } from '../group/index.js';
import { handler } from '../handler.js';
import type { BrokerSettings } from '../properties/index.js';
import type { FoundTopic } from '../resources/index.js';

type Committed = OffsetCommitRequest['topics'][number]['partitions'][number];

/** A partition in the response; its code is the whole commit's where nothing else is wrong. */
interface Place {
  readonly partitionIndex: number;
  errorCode: number;
}

/** Stores how far a group has come; answered when it is in the log. */
export const offsetCommit = handler(OffsetCommit, async (request, context) => {
  const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generation } = request;
  const now = context.clock.now();
  const { retentionTimeMs } = request;
  const expireTimestamp =
    retentionTimeMs < 0 ? -1 : Math.min(now + retentionTimeMs, Number.MAX_SAFE_INTEGER);
  const entries: OffsetEntry[] = [];
  const accepted: Place[] = [];
  const topics = request.topics.map(({ name, topicId, partitions }) => {
    const topic = context.topics.find(name, topicId, 'READ');
    const places = partitions.map((partition): Place => {
      const { partitionIndex, committedOffset, committedLeaderEpoch } = partition;
      const metadata = partition.committedMetadata ?? '';
      const place = {
        partitionIndex,
        errorCode: refusal(topic, partition, context.settings),
      };
      if (place.errorCode !== ErrorCode.NONE) return place;
      accepted.push(place);
      entries.push({
        topic: topic.name,
        partition: partitionIndex,
        value: {
          offset: committedOffset,
          leaderEpoch: committedLeaderEpoch,
          metadata,
          commitTimestamp: now,
          expireTimestamp,
          topicId: topic.id,
        },
      });
      return place;
    });
    return { name, topicId, partitions: places };
  });
  if (entries.length > 0) {
    const claim = { memberId, groupInstanceId, generation };
    const errorCode = await context.groups.commit(groupId, claim, entries);
    for (const place of accepted) place.errorCode = errorCode;
  }
  return { topics };
});

function refusal(
  topic: FoundTopic,
  { partitionIndex, committedOffset, committedMetadata }: Committed,
  { offsetMetadataMaxBytes }: BrokerSettings,
): number {
  if (topic.errorCode !== ErrorCode.NONE) return topic.errorCode;
  if (topic.state?.partitions[partitionIndex] === undefined) {
    return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  }
  // No client of Kafka commits such an offset; a reader would take it for none, or for anything.
  const isOffset = Number.isSafeInteger(committedOffset) && committedOffset >= 0;
  if (!isOffset) return ErrorCode.INVALID_REQUEST;
  const metadata = committedMetadata ?? '';
  const tooLarge = Buffer.byteLength(metadata) > offsetMetadataMaxBytes;
  return tooLarge ? ErrorCode.OFFSET_METADATA_TOO_LARGE : ErrorCode.NONE;
}
