import { ErrorCode } from '../../protocol/index.js';
import type { Partition } from '../partition.js';

/**
 * Compares the leader epoch that a client knows (-1: it does not say) with ours (KIP-320). Nobody
 * leads a partition whose log is offline.
 */
export function leaderEpochError(partition: Partition, currentLeaderEpoch: number): number {
  if (partition.isOffline) return ErrorCode.KAFKA_STORAGE_ERROR;
  if (currentLeaderEpoch < 0 || currentLeaderEpoch === partition.leaderEpoch) return ErrorCode.NONE;
  return currentLeaderEpoch < partition.leaderEpoch
    ? ErrorCode.FENCED_LEADER_EPOCH
    : ErrorCode.UNKNOWN_LEADER_EPOCH;
}
