import { ErrorCode, OffsetForLeaderEpoch } from '../../protocol/index.js';
import { handler } from '../handler.js';
import { leaderEpochError } from './leader-epoch.js';

export const offsetForLeaderEpoch = handler(OffsetForLeaderEpoch, ({ topics }, context) => ({
  topics: topics.map(({ topic: name, partitions }) => ({
    topic: name,
    partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
      const topic = context.topics.find(name, '', 'DESCRIBE');
      const partition = topic.partition(index);
      const refuse = (errorCode: number) => ({ partition: index, errorCode });
      if (topic.errorCode !== ErrorCode.NONE) return refuse(topic.errorCode);
      if (partition === undefined) return refuse(topic.missingPartition(index));
      const epochError = leaderEpochError(partition, currentLeaderEpoch);
      if (epochError !== ErrorCode.NONE) return refuse(epochError);
      const { epoch, endOffset } = partition.endOfEpoch(leaderEpoch);
      return { ...refuse(ErrorCode.NONE), leaderEpoch: epoch, endOffset };
    }),
  })),
}));
