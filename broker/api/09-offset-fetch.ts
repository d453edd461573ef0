import { ErrorCode, OffsetFetch, ZERO_UUID } from '../../protocol/index.js';
import { CommittedOffsets } from '../group/index.js';
import { handler, type RequestContext } from '../handler.js';
import { once } from './once.js';

/** Since this version many groups are asked for at once. */
const FIRST_WITH_GROUPS = 8;
/** Since this version an error of the whole group has a place of its own. */
const FIRST_WITH_GROUP_ERROR = 2;
/** Since this version topics are named by their ids. */
const FIRST_WITH_TOPIC_IDS = 10;

/** Topics as a request names them; null asks for all that have offsets. */
type Wanted =
  | readonly {
      readonly name: string;
      readonly topicId: string;
      readonly partitionIndexes: readonly number[];
    }[]
  | null;

/** How far groups have come. */
export const offsetFetch = handler(OffsetFetch, (request, context) => {
  if (context.apiVersion >= FIRST_WITH_GROUPS) {
    const groups = once(request.groups, (group) => group.groupId).map(({ groupId, topics }) => ({
      groupId,
      ...fetchGroup(groupId, topics, context),
    }));
    return { groups };
  }
  const byName = request.topics?.map((topic) => ({ ...topic, topicId: ZERO_UUID })) ?? null;
  return fetchGroup(request.groupId, byName, context);
});

function fetchGroup(groupId: string, wanted: Wanted, context: RequestContext) {
  const { errorCode, offsets = new CommittedOffsets() } = context.groups.committed(groupId);
  if (errorCode !== ErrorCode.NONE && context.apiVersion >= FIRST_WITH_GROUP_ERROR) {
    return { errorCode, topics: [] };
  }
  const topics = (wanted ?? everything(offsets, context)).map(
    ({ name, topicId, partitionIndexes }) => {
      const topic = context.topics.find(name, topicId, 'DESCRIBE');
      // By name there may be offsets of a topic that is gone.
      const isTold = context.apiVersion >= FIRST_WITH_TOPIC_IDS || topic.isRefused;
      const partitionError = isTold && errorCode === ErrorCode.NONE ? topic.errorCode : errorCode;
      const partitions = partitionIndexes.map((partitionIndex) => {
        const known = partitionError === ErrorCode.NONE;
        const value = known ? offsets.get(topic.name, partitionIndex, topic.id) : undefined;
        return {
          partitionIndex,
          committedOffset: value?.offset ?? -1,
          committedLeaderEpoch: value?.leaderEpoch ?? -1,
          metadata: value?.metadata ?? '',
          errorCode: partitionError,
        };
      });
      return { name, topicId, partitions };
    },
  );
  return { errorCode, topics };
}

/** What has an offset, as far as the client may hear of it and this version can name it. */
function everything(offsets: CommittedOffsets, { topics: known, apiVersion }: RequestContext) {
  const byId = apiVersion >= FIRST_WITH_TOPIC_IDS;
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of offsets.entries()) {
    const indexes = topics.get(topic);
    if (indexes === undefined) topics.set(topic, [partition]);
    else indexes.push(partition);
  }
  return [...topics].flatMap(([name, partitionIndexes]) => {
    const { state, isRefused } = known.find(name, ZERO_UUID, 'DESCRIBE');
    const id = state?.id;
    if (isRefused || (byId && id === undefined)) return [];
    return { name: byId ? '' : name, topicId: (byId && id) || ZERO_UUID, partitionIndexes };
  });
}
