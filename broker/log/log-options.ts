import type { DecompressionBudget } from './incoming.js';
import type { LogError } from './log-error.js';
import type { RecoveryOptions } from './recover.js';
import type { TailMemory } from './tail-memory.js';
import type { Turns } from './turns.js';

/**
 * How a log is opened. What the log directory's checkpoints do not tell is not known, and then
 * everything is scanned.
 */
export interface LogOptions extends Partial<RecoveryOptions> {
  /** Memory for the newest batches, shared with other logs. Default: 8 MiB of its own. */
  readonly tail?: TailMemory;
  /** The recovery point went back: it must be saved before the log is appended to again. */
  readonly onRecoveryPointLowered?: () => Promise<void>;
  /** The disk failed, and the log takes no more appends until it is opened anew. Called once. */
  readonly onFailure?: (failure: LogError) => void;
  /** Whose turn it is to sync sealed segments, shared with other logs. Default: its own. */
  readonly turns?: Turns;
}

/** How batches are appended. */
export interface AppendOptions {
  /** The partition leader's epoch, written into the batches. */
  readonly leaderEpoch: number;
  /**
   * The batches come from the partition's leader: they keep their offsets, epochs and times, and
   * their producers' sequences are believed.
   */
  readonly validated?: boolean;
  /** Shared by all appends of one request. Default: its own. */
  readonly budget?: DecompressionBudget | undefined;
}

/** Where batches came to lie. */
export interface AppendResult {
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** Milliseconds where `message.timestamp.type` is LogAppendTime, else -1. */
  readonly logAppendTime: number;
  /** The batches were in the log already; the offsets are those of the first time. */
  readonly duplicate: boolean;
  /** `flush.messages` asks for a sync: await `flushed(lastOffset + 1)` before acknowledging. */
  readonly flushFirst: boolean;
}

/** What a read may return. */
export interface ReadOptions {
  /** Only batches that end before it (the high watermark). Default: the end of the log. */
  readonly maxOffset?: number;
  /** Return the first batch even where it alone is larger than `maxBytes`. Default true. */
  readonly minOneBatch?: boolean;
}

/** A record found by its time. */
export interface TimestampedOffset {
  readonly offset: number;
  /** Milliseconds. */
  readonly timestamp: number;
  /** Epoch of the leader that appended the record, -1 where unknown. */
  readonly leaderEpoch: number;
}
