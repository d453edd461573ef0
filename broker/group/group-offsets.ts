import { ErrorCode } from '../../protocol/index.js';
import { CommittedOffsets, type OffsetEntry, type TopicPartition } from './committed-offsets.js';
import { type CoordinatorRecord, offsetToRecord } from './records.js';

/** Appends what the function makes to the group's partition; resolves with an error code. */
type Append = (records: () => readonly CoordinatorRecord[]) => Promise<number>;

/** The offsets of one group, of whichever kind: in the log, and on their way there. */
export class GroupOffsets {
  private readonly beingStored = new Set<readonly OffsetEntry[]>();

  /** @param changed called when a change has come to its end, well or not */
  constructor(
    private readonly groupId: string,
    private readonly append: Append,
    private readonly changed: () => void,
    /** What is in the log. */
    readonly committed = new CommittedOffsets(),
  ) {}

  /** There are none, nor any on their way. */
  get isEmpty(): boolean {
    return this.committed.isEmpty && this.beingStored.size === 0;
  }

  /**
   * Stores or takes back (null); resolves with an error code after the append.
   *
   * @param admit asked first, in the same turn: an error code that refuses them
   */
  async store(
    entries: readonly OffsetEntry[],
    admit: () => number = () => ErrorCode.NONE,
  ): Promise<number> {
    // From here on, lest their group be forgotten between its word and the append.
    this.beingStored.add(entries);
    try {
      const refusal = admit();
      const errorCode = refusal === ErrorCode.NONE ? await this.appendAll(entries) : refusal;
      if (errorCode === ErrorCode.NONE) for (const entry of entries) this.committed.apply(entry);
      return errorCode;
    } finally {
      this.beingStored.delete(entries);
      this.changed();
    }
  }

  private appendAll(entries: readonly OffsetEntry[]): Promise<number> {
    return this.append(() => entries.map((entry) => offsetToRecord(this.groupId, entry)));
  }

  /**
   * Takes offsets back that nobody has a claim to any more; nothing happens while others are on
   * their way into the log, for a tombstone behind one would take back what is new.
   */
  async remove(entries: readonly TopicPartition[]): Promise<void> {
    if (entries.length === 0 || this.beingStored.size > 0) return;
    await this.store(entries.map(({ topic, partition }) => ({ topic, partition, value: null })));
  }

  /**
   * Takes all of them back together with their group, whose tombstones `records` makes; resolves
   * with an error code after the append. The group must refuse commits from the call on.
   */
  async deleteWith(records: () => readonly CoordinatorRecord[]): Promise<number> {
    const errorCode = await this.append(() => [...records(), ...this.tombstones()]);
    if (errorCode === ErrorCode.NONE) this.committed.clear();
    return errorCode;
  }

  private *tombstones(): Generator<CoordinatorRecord> {
    for (const { topic, partition } of this.all()) {
      yield offsetToRecord(this.groupId, { topic, partition, value: null });
    }
  }

  private *all(): Generator<TopicPartition> {
    yield* this.committed.entries();
    for (const entries of this.beingStored) yield* entries;
  }
}
