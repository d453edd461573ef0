import { ErrorCode, Metadata, type MetadataRequest, ZERO_UUID } from '../../protocol/index.js';
import { handler, type RequestContext } from '../handler.js';
import type { TopicState } from '../resources/index.js';
import { checkTopicName, isInternal } from '../topic-names.js';
import { errorCodeOf } from './error-code.js';
import { once } from './once.js';

/** What a topic is named by in the answer, with what went wrong. */
interface Answer {
  readonly name: string | null;
  readonly topicId: string;
  readonly errorCode: number;
  readonly topic: TopicState | undefined;
}

export const metadata = handler(Metadata, async (request, context) => {
  const { cluster, endpoint } = context;
  const answers = await Promise.all(wanted(request, context));
  return {
    brokers: [{ nodeId: cluster.nodeId, ...endpoint }],
    clusterId: cluster.id,
    controllerId: cluster.nodeId,
    topics: answers.map(describe),
  };
});

/** All topics, or those that are named. */
function wanted(request: MetadataRequest, context: RequestContext): (Answer | Promise<Answer>)[] {
  const { topics } = request;
  // Version 0 has no null: there the empty list means all.
  if (topics === null || (context.apiVersion === 0 && topics.length === 0)) {
    return context.topics.all().map(found);
  }
  const named = once(topics, ({ name, topicId }) => name || topicId);
  return named.map(({ name, topicId }) => {
    if (name !== null && name !== '') return byName(name, request, context);
    const { state: topic, errorCode } = context.topics.find(null, topicId, 'DESCRIBE');
    return topic === undefined ? { name: null, topicId, errorCode, topic } : found(topic);
  });
}

function found(topic: TopicState): Answer {
  return { name: topic.name, topicId: topic.id, errorCode: ErrorCode.NONE, topic };
}

/** A topic by name, created where both the client and `auto.create.topics.enable` want that. */
async function byName(
  name: string,
  { allowAutoTopicCreation }: MetadataRequest,
  { topics, settings }: RequestContext,
): Promise<Answer> {
  const { state, errorCode, isRefused } = topics.find(name, ZERO_UUID, 'DESCRIBE');
  if (state !== undefined) return found(state);
  const missing = { name, topicId: ZERO_UUID, topic: undefined };
  if (isRefused) return { ...missing, errorCode };
  try {
    checkTopicName(name);
  } catch (error) {
    return { ...missing, errorCode: errorCodeOf(error) };
  }
  const mayCreate = allowAutoTopicCreation && settings.autoCreateTopics;
  if (!mayCreate) return { ...missing, errorCode };
  try {
    return found(await topics.ensure(name));
  } catch (error) {
    return { ...missing, errorCode: errorCodeOf(error) };
  }
}

function describe({ name, topicId, errorCode, topic }: Answer) {
  return {
    errorCode,
    name,
    topicId,
    isInternal: isInternal(name ?? ''),
    partitions: (topic?.partitions ?? []).map((partition, partitionIndex) => ({
      errorCode: partition.leader < 0 ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NONE,
      partitionIndex,
      leaderId: partition.leader,
      leaderEpoch: partition.leaderEpoch,
      replicaNodes: partition.replicas,
      isrNodes: partition.isr,
      offlineReplicas: [],
    })),
  };
}
