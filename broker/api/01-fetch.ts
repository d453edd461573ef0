import { ErrorCode, Fetch, type FetchRequest } from '../../protocol/index.js';
import { handler, type RequestContext } from '../handler.js';
import type { Partition } from '../partition.js';
import { errorCodeOf } from './error-code.js';
import { leaderEpochError } from './leader-epoch.js';

const NOTHING = Buffer.alloc(0);

type PartitionRequest = FetchRequest['topics'][number]['partitions'][number];

/** One partition of a request, looked up. */
interface Wanted {
  readonly request: PartitionRequest;
  readonly partition: Partition | undefined;
  /** Set where it cannot be read at all. */
  readonly errorCode: number;
}

interface PartitionAnswer {
  readonly partitionIndex: number;
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  readonly abortedTransactions: null;
  readonly records: Buffer;
}

interface TopicAnswer {
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: readonly PartitionAnswer[];
}

interface WantedTopic {
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: readonly Wanted[];
}

/** Fetch sessions (KIP-227) are declined with session id 0: each request names all it wants. */
export const fetch = handler(Fetch, async (request, context) => {
  if (request.sessionId !== 0) {
    return { errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND, responses: [] };
  }
  const wanted = request.topics.map((topic) => lookUp(topic, context));
  const responses = await readAll(request, wanted, context);
  const missingBytes = missing(request, wanted, responses);
  if (missingBytes <= 0) return { responses };
  await arrival(missingBytes, request.maxWaitMs, wanted, context);
  // A topic that was deleted meanwhile is gone now.
  const current = request.topics.map((topic) => lookUp(topic, context));
  return { responses: await readAll(request, current, context) };
});

function lookUp(
  { topic: name, topicId, partitions }: FetchRequest['topics'][number],
  { topics }: RequestContext,
): WantedTopic {
  const topic = topics.find(name, topicId, 'READ');
  return {
    topic: name,
    topicId,
    partitions: partitions.map((request) => {
      if (topic.errorCode !== ErrorCode.NONE) {
        return { request, partition: undefined, errorCode: topic.errorCode };
      }
      const partition = topic.partition(request.partition);
      const errorCode =
        partition === undefined
          ? topic.missingPartition(request.partition)
          : leaderEpochError(partition, request.currentLeaderEpoch);
      return { request, partition, errorCode };
    }),
  };
}

/** Bytes to wait for; 0 where the answer is complete, or has an error the client should see now. */
function missing(
  { minBytes, maxBytes, maxWaitMs }: FetchRequest,
  wanted: readonly WantedTopic[],
  responses: readonly TopicAnswer[],
): number {
  let bytes = Math.min(minBytes, maxBytes);
  if (maxWaitMs <= 0 || wanted.length === 0) return 0;
  for (const [topicIndex, { partitions }] of responses.entries()) {
    for (const [index, { errorCode, highWatermark, records }] of partitions.entries()) {
      const partition = wanted[topicIndex]?.partitions[index]?.partition;
      const grown = partition === undefined || partition.highWatermark > highWatermark;
      if (errorCode !== ErrorCode.NONE || grown) return 0;
      bytes -= records.length;
    }
  }
  return bytes;
}

/** The long poll: resolves when so many bytes came, `maxWaitMs` are over, or nobody listens. */
function arrival(
  missingBytes: number,
  maxWaitMs: number,
  wanted: readonly WantedTopic[],
  { client, clock }: RequestContext,
): Promise<void> {
  return new Promise((resolve) => {
    let bytes = missingBytes;
    let finished = false;
    const finish = () => {
      if (finished) return;
      finished = true;
      timer.cancel();
      for (const stop of stops) stop();
      resolve();
    };
    const timer = clock.after(maxWaitMs, finish);
    const onAppend = (appendedBytes: number) => {
      const enough = bytes <= 0;
      bytes -= appendedBytes;
      // In the next turn: what else is appended in this one goes into the same answer.
      if (bytes <= 0 && !enough) clock.nextTurn(finish);
    };
    const stops = wanted.flatMap(({ partitions }) =>
      partitions.map(({ partition }) => partition?.onAppend(onAppend) ?? (() => {})),
    );
    stops.push(client.onEnding(finish));
  });
}

/** Reads the partitions in the order asked for, until `maxBytes` are found. */
async function readAll(
  request: FetchRequest,
  wanted: readonly WantedTopic[],
  { client, settings }: RequestContext,
): Promise<TopicAnswer[]> {
  const wantedBytes = Math.min(request.maxBytes, settings.fetchMaxBytes);
  let room = client.reserveAnswer(Math.max(0, wantedBytes));
  let found = false;
  const responses: TopicAnswer[] = [];
  for (const { topic, topicId, partitions } of wanted) {
    const answers: PartitionAnswer[] = [];
    for (const one of partitions) {
      const answer = await readOne(one, room, !found);
      room -= answer.records.length;
      found ||= answer.records.length > 0;
      answers.push(answer);
    }
    responses.push({ topic, topicId, partitions: answers });
  }
  client.holdAnswer(bytesOf(responses));
  return responses;
}

function bytesOf(responses: readonly TopicAnswer[]): number {
  let bytes = 0;
  for (const { partitions } of responses) {
    for (const { records } of partitions) bytes += records.length;
  }
  return bytes;
}

async function readOne(
  { request, partition, errorCode }: Wanted,
  room: number,
  first: boolean,
): Promise<PartitionAnswer> {
  const { partition: partitionIndex, fetchOffset, partitionMaxBytes } = request;
  const nobody = { highWatermark: -1, lastStableOffset: -1, logStartOffset: -1 };
  const refused = { partitionIndex, errorCode, ...nobody, abortedTransactions: null };
  if (partition === undefined || errorCode !== ErrorCode.NONE) {
    return { ...refused, records: NOTHING };
  }
  const { highWatermark, startOffset: logStartOffset } = partition;
  // No transactions yet: everything below the high watermark is stable.
  const state = { highWatermark, lastStableOffset: highWatermark, logStartOffset };
  try {
    const maxBytes = Math.max(0, Math.min(room, partitionMaxBytes));
    const read = maxBytes > 0 || first ? partition.read(fetchOffset, maxBytes, first) : NOTHING;
    const records = read instanceof Promise ? await read : read;
    partition.countRead(records.length);
    return { partitionIndex, errorCode, ...state, abortedTransactions: null, records };
  } catch (error) {
    return { ...refused, ...state, errorCode: errorCodeOf(error), records: NOTHING };
  }
}
