import { dirname, join, resolve } from 'node:path';
import type { Disk, Log as SystemLog } from '../system/index.js';
import { BrokerError } from './broker-error.js';
import {
  CLEAN_SHUTDOWN,
  DELETE_DIRECTORY_SUFFIX,
  decodePartitionOffsets,
  encodePartitionOffsets,
  LOG_START_CHECKPOINT,
  LogError,
  META_PROPERTIES,
  PARTITION_METADATA,
  type PartitionOffset,
  parsePartitionDirectoryName,
  partitionDirectoryName,
  RECOVERY_POINT_CHECKPOINT,
  REPLICATION_CHECKPOINT,
  Turns,
} from './log/index.js';

const STRAY_DIRECTORY_SUFFIX = '-stray';
const MAX_NAME_LENGTH = 255;

/** Whose directory it is: `meta.properties`. */
export interface DirectoryIdentity {
  readonly clusterId: string;
  readonly nodeId: number;
  readonly directoryId: string;
}

/** A partition's directory as it is found at start. */
export interface StoredPartition {
  readonly topic: string;
  readonly partition: number;
  /** undefined where `partition.metadata` is missing or unreadable. */
  readonly topicId: string | undefined;
}

/** What the checkpoints tell of one partition. */
export interface PartitionCheckpoint {
  readonly topic: string;
  readonly partition: number;
  readonly recoveryPoint: number;
  readonly startOffset: number;
  readonly highWatermark: number;
}

/** The files of a log directory that belong to no partition alone, in Apache Kafka's formats. */
export class LogDirectory {
  /** undefined in a new directory. */
  readonly identity: DirectoryIdentity | undefined;
  /** Whether the last broker stopped in order: what is in the logs needs no scan then. */
  readonly clean: boolean;
  /**
   * What recovery believes of the logs found at start, by topic and partition. Checkpoints name no
   * topic id: whoever begins a new directory under a name first forgets what they say of it.
   */
  private readonly found: Map<string, { recoveryPoint: number; startOffset: number }>;
  /** What the files say; where writing one failed, also what they may say. */
  private written: Map<string, PartitionCheckpoint>;
  /** The directories and checkpoints change one after the other. */
  private readonly turns = new Turns();

  /** Opens a directory that exists and is locked; the clean-shutdown marker is used up by it. */
  constructor(
    private readonly disk: Disk,
    readonly path: string,
    private readonly log: SystemLog,
  ) {
    this.identity = this.readIdentity();
    if (this.identity === undefined) this.keepName();
    this.clean = disk.statSync(join(path, CLEAN_SHUTDOWN)) !== undefined;
    this.written = this.readCheckpoints();
    this.found = new Map(this.written);
    if (this.clean) {
      disk.removeSync(join(path, CLEAN_SHUTDOWN));
      disk.syncDirectorySync(path);
    }
  }

  /** Writes `meta.properties`. */
  identify({ clusterId, nodeId, directoryId }: DirectoryIdentity): void {
    const lines = ['version=1', `cluster.id=${clusterId}`, `node.id=${nodeId}`];
    const content = [...lines, `directory.id=${directoryId}`, ''].join('\n');
    this.disk.replaceFileSync(join(this.path, META_PROPERTIES), content);
  }

  /** Where a partition's files are. */
  partitionPath(topic: string, partition: number): string {
    return join(this.path, partitionDirectoryName(topic, partition));
  }

  /** What recovery may believe of a partition. */
  recoveryOptions(topic: string, partition: number) {
    const { recoveryPoint = 0, startOffset = 0 } = this.found.get(keyOf(topic, partition)) ?? {};
    return { clean: this.clean, recoveryPoint, startOffset };
  }

  /** Every partition that has a directory. */
  storedPartitions(): StoredPartition[] {
    return this.disk.listSync(this.path).flatMap((name) => {
      const parsed = parsePartitionDirectoryName(name);
      const path = join(this.path, name);
      if (parsed === undefined || this.disk.statSync(path)?.kind !== 'directory') return [];
      return { ...parsed, topicId: this.readTopicId(path) };
    });
  }

  /**
   * Sees to it that a partition's directory is there and this topic's, and that no checkpoint of
   * an earlier topic of the name is taken for its own. One that such a topic has left is retired:
   * returns its path then, to be removed later.
   */
  claim(
    topic: string,
    partition: number,
    topicId: string,
    uniqueId: string,
  ): Promise<string | undefined> {
    return this.turns.take(async () => {
      const path = this.partitionPath(topic, partition);
      const owner = this.readTopicId(path);
      if (owner === topicId) return undefined;
      const suffix = `${uniqueId}${DELETE_DIRECTORY_SUFFIX}`;
      const retired = owner === undefined ? undefined : await this.rename(topic, partition, suffix);
      const begins = this.disk.statSync(path) === undefined;
      if (begins) await this.forget(topic, partition);
      await this.disk.makeDirectory(path);
      const content = `version: 0\ntopic_id: ${topicId}\n`;
      await this.disk.replaceFile(join(path, PARTITION_METADATA), content);
      await this.disk.syncDirectory(this.path);
      return retired;
    });
  }

  /**
   * Takes a partition of a deleted topic out of the way; returns the path to remove later,
   * undefined where its directory is gone by now.
   */
  retire(
    { topic, partition, topicId }: StoredPartition,
    uniqueId: string,
  ): Promise<string | undefined> {
    return this.turns.take(async () => {
      if (this.readTopicId(this.partitionPath(topic, partition)) !== topicId) return undefined;
      return this.rename(topic, partition, `${uniqueId}${DELETE_DIRECTORY_SUFFIX}`);
    });
  }

  /** Puts a partition that no topic knows aside, for a person to look at. */
  async putAside(topic: string, partition: number, uniqueId: string): Promise<string> {
    return this.rename(topic, partition, `${uniqueId}${STRAY_DIRECTORY_SUFFIX}`);
  }

  /** Removes what deletions before the last stop left behind. */
  async removeRetired(): Promise<void> {
    for (const name of this.disk.listSync(this.path)) {
      if (!name.endsWith(DELETE_DIRECTORY_SUFFIX)) continue;
      const path = join(this.path, name);
      try {
        await this.disk.removeTree(path);
      } catch (error) {
        this.log.warn('a deleted partition could not be removed', { path, error });
      }
    }
  }

  /** Writes the three checkpoints of all partitions, as they are when its turn has come. */
  writeCheckpoints(partitions: () => readonly PartitionCheckpoint[]): Promise<void> {
    return this.turns.take(() => this.write(partitions()));
  }

  private async write(partitions: readonly PartitionCheckpoint[]): Promise<void> {
    const next = new Map(partitions.map((one) => [keyOf(one.topic, one.partition), one]));
    this.written = new Map([...this.written, ...next]);
    const write = (name: string, offset: (checkpoint: PartitionCheckpoint) => number) => {
      const offsets: PartitionOffset[] = partitions.map((checkpoint) => {
        const { topic, partition } = checkpoint;
        return { topic, partition, offset: offset(checkpoint) };
      });
      return this.disk.replaceFile(join(this.path, name), encodePartitionOffsets(offsets));
    };
    await write(RECOVERY_POINT_CHECKPOINT, ({ recoveryPoint }) => recoveryPoint);
    await write(LOG_START_CHECKPOINT, ({ startOffset }) => startOffset);
    await write(REPLICATION_CHECKPOINT, ({ highWatermark }) => highWatermark);
    this.written = next;
  }

  /** A directory begins anew: its log must not be taken for the one that the checkpoints mean. */
  private async forget(topic: string, partition: number): Promise<void> {
    const key = keyOf(topic, partition);
    this.found.delete(key);
    if (!this.written.has(key)) return;
    await this.write([...this.written].flatMap(([name, one]) => (name === key ? [] : [one])));
  }

  /** Says, last of all, that every log was closed in order. */
  markClean(): void {
    const content = JSON.stringify({ version: 0, brokerEpoch: -1 });
    this.disk.replaceFileSync(join(this.path, CLEAN_SHUTDOWN), content);
  }

  /** A new directory must still be there after a power cut, and so must those it lies in. */
  private keepName(): void {
    let parent = dirname(resolve(this.path));
    for (;;) {
      try {
        this.disk.syncDirectorySync(parent);
      } catch {
        // One that we may not even open was there before us.
        return;
      }
      if (parent === dirname(parent)) return;
      parent = dirname(parent);
    }
  }

  private async rename(topic: string, partition: number, suffix: string): Promise<string> {
    const from = this.partitionPath(topic, partition);
    const end = `-${partition}.${suffix}`;
    // A topic's name may be nearly as long as a file's.
    const to = join(this.path, `${topic.slice(0, MAX_NAME_LENGTH - end.length)}${end}`);
    await this.disk.rename(from, to);
    await this.disk.syncDirectory(this.path);
    return to;
  }

  private readIdentity(): DirectoryIdentity | undefined {
    const path = join(this.path, META_PROPERTIES);
    if (this.disk.statSync(path) === undefined) return undefined;
    const entries = new Map<string, string>();
    for (const line of this.disk.readFileSync(path).toString().split('\n')) {
      const [name, ...value] = line.split('=');
      if (name !== undefined && value.length > 0) entries.set(name.trim(), value.join('=').trim());
    }
    const clusterId = entries.get('cluster.id');
    const nodeId = Number(entries.get('node.id') ?? entries.get('broker.id'));
    if (clusterId === undefined || !Number.isInteger(nodeId)) {
      throw new BrokerError(
        'WRONG_DIRECTORY',
        `${path} names no cluster.id or no node.id: it is damaged, or this is no log directory`,
      );
    }
    return { clusterId, nodeId, directoryId: entries.get('directory.id') ?? '' };
  }

  private readTopicId(path: string): string | undefined {
    const file = join(path, PARTITION_METADATA);
    if (this.disk.statSync(file) === undefined) return undefined;
    return /^topic_id: (\S{22})$/m.exec(this.disk.readFileSync(file).toString())?.[1];
  }

  private readCheckpoints(): Map<string, PartitionCheckpoint> {
    const found = new Map<string, PartitionCheckpoint>();
    const read = (file: string, field: 'recoveryPoint' | 'startOffset' | 'highWatermark') => {
      for (const { topic, partition, offset } of this.readCheckpoint(file)) {
        const key = keyOf(topic, partition);
        const nothing = { recoveryPoint: 0, startOffset: 0, highWatermark: 0 };
        const known = found.get(key) ?? { topic, partition, ...nothing };
        found.set(key, { ...known, [field]: offset });
      }
    };
    read(RECOVERY_POINT_CHECKPOINT, 'recoveryPoint');
    read(LOG_START_CHECKPOINT, 'startOffset');
    read(REPLICATION_CHECKPOINT, 'highWatermark');
    return found;
  }

  private readCheckpoint(name: string): readonly PartitionOffset[] {
    const path = join(this.path, name);
    if (this.disk.statSync(path) === undefined) return [];
    try {
      return decodePartitionOffsets(this.disk.readFileSync(path).toString());
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      // The logs themselves tell everything that a checkpoint would have spared them.
      this.log.warn('a checkpoint is ignored: it is damaged', { path, reason: error.message });
      return [];
    }
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic} ${partition}`;
}
