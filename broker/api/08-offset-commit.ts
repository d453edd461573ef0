import { ErrorCode, OffsetCommit } from '../../protocol/index.js';
import type { OffsetEntry } from '../group/index.js';
import { handler, type RequestContext } from '../handler.js';
import { type NamedTopic, topicOf } from './topic-of.js';

/** A partition in the response; its code is the whole commit's where nothing else is wrong. */
interface Place {
  readonly partitionIndex: number;
  errorCode: number;
}

/** Stores how far a group has come; answered when it is in the log. */
export const offsetCommit = handler(OffsetCommit, async (request, context) => {
  const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generation } = request;
  const { services } = context;
  const now = services.system.clock.now();
  const expireTimestamp = request.retentionTimeMs < 0 ? -1 : now + request.retentionTimeMs;
  const entries: OffsetEntry[] = [];
  const accepted: Place[] = [];
  const topics = request.topics.map(({ name, topicId, partitions }) => {
    const topic = topicOf(name, topicId, context);
    const places = partitions.map((partition): Place => {
      const { partitionIndex, committedOffset, committedLeaderEpoch } = partition;
      const metadata = partition.committedMetadata ?? '';
      const place = {
        partitionIndex,
        errorCode: refusal(topic, partitionIndex, metadata, context),
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
    const errorCode = await services.groups.commit(groupId, claim, entries);
    for (const place of accepted) place.errorCode = errorCode;
  }
  return { topics };
});

function refusal(
  topic: NamedTopic,
  index: number,
  metadata: string,
  { services }: RequestContext,
): number {
  if (topic.errorCode !== ErrorCode.NONE) return topic.errorCode;
  const known = services.metadata.image.topics.get(topic.name);
  if (known?.partitions[index] === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  const tooLarge = Buffer.byteLength(metadata) > services.settings.offsetMetadataMaxBytes;
  return tooLarge ? ErrorCode.OFFSET_METADATA_TOO_LARGE : ErrorCode.NONE;
}
