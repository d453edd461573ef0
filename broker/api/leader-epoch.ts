import { ErrorCode } from '../../protocol/index.js';
import type { Partition } from '../partition.js';

/** Compares the leader epoch that a client knows (-1: it does not say) with ours (KIP-320). */
export function leaderEpochError(partition: Partition, currentLeaderEpoch: number): number {
  if (currentLeaderEpoch < 0 || currentLeaderEpoch === partition.leaderEpoch) return ErrorCode.NONE;
  return currentLeaderEpoch < partition.leaderEpoch
    ? ErrorCode.FENCED_LEADER_EPOCH
    : ErrorCode.UNKNOWN_LEADER_EPOCH;
}
