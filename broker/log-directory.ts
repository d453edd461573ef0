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
  private readonly recoveryPoints: ReadonlyMap<string, number>;
  private readonly startOffsets: ReadonlyMap<string, number>;

  /** Opens a directory that exists and is locked; the clean-shutdown marker is used up by it. */
  constructor(
    private readonly disk: Disk,
    readonly path: string,
    private readonly log: SystemLog,
  ) {
    this.identity = this.readIdentity();
    if (this.identity === undefined) this.keepName();
    this.clean = disk.statSync(join(path, CLEAN_SHUTDOWN)) !== undefined;
    this.recoveryPoints = this.readCheckpoint(RECOVERY_POINT_CHECKPOINT);
    this.startOffsets = this.readCheckpoint(LOG_START_CHECKPOINT);
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
    const key = `${topic} ${partition}`;
    return {
      clean: this.clean,
      recoveryPoint: this.recoveryPoints.get(key) ?? 0,
      startOffset: this.startOffsets.get(key) ?? 0,
    };
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

  /** Creates a partition's directory with the topic's id, where it is not there yet. */
  async createPartition(topic: string, partition: number, topicId: string): Promise<void> {
    const path = this.partitionPath(topic, partition);
    if ((await this.disk.stat(join(path, PARTITION_METADATA))) !== undefined) return;
    await this.disk.makeDirectory(path);
    const content = `version: 0\ntopic_id: ${topicId}\n`;
    await this.disk.replaceFile(join(path, PARTITION_METADATA), content);
    await this.disk.syncDirectory(this.path);
  }

  /** Takes a partition of a deleted topic out of the way; returns the path to remove later. */
  async retire(topic: string, partition: number, uniqueId: string): Promise<string> {
    return this.rename(topic, partition, `${uniqueId}${DELETE_DIRECTORY_SUFFIX}`);
  }

  /** Puts a partition that no topic knows aside, for a person to look at. */
  async putAside(topic: string, partition: number, uniqueId: string): Promise<string> {
    return this.rename(topic, partition, `${uniqueId}${STRAY_DIRECTORY_SUFFIX}`);
  }

  /** Removes what deletions before the last stop left behind. */
  async removeRetired(): Promise<void> {
    for (const name of this.disk.listSync(this.path)) {
      if (!name.endsWith(DELETE_DIRECTORY_SUFFIX)) continue;
      await this.disk.removeTree(join(this.path, name));
    }
  }

  /** Writes the three checkpoints of all partitions. */
  async writeCheckpoints(partitions: readonly PartitionCheckpoint[]): Promise<void> {
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

  private readCheckpoint(name: string): ReadonlyMap<string, number> {
    const path = join(this.path, name);
    if (this.disk.statSync(path) === undefined) return new Map();
    try {
      const offsets = decodePartitionOffsets(this.disk.readFileSync(path).toString());
      return new Map(offsets.map((entry) => [`${entry.topic} ${entry.partition}`, entry.offset]));
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      // The logs themselves tell everything that a checkpoint would have spared them.
      this.log.warn('a checkpoint is ignored: it is damaged', { path, reason: error.message });
      return new Map();
    }
  }
}
