import type { Component, OptionsSchema, z } from '../config/index.js';
import type { System } from '../system/index.js';
import type { FormatComponent } from './archive/formats/index.js';
import type { ArchiveSite, StoreComponent } from './archive/stores/index.js';
import type { PartitionFeed } from './feed.js';
import type { PartitionWorker } from './worker.js';

/** Which partition a worker is for. */
export interface Assignment {
  readonly cluster: string;
  readonly topic: string;
  /** 22 characters; the zero id where the broker has none. */
  readonly topicId: string;
  readonly partition: number;
}

/** What every kind of sink is made with. */
export interface SinkContext {
  readonly system: System;
  readonly name: string;
  /** By which brokers know the sink's clients. */
  readonly clientId: string;
  /** The brokers it reads from. */
  readonly bootstrap: readonly string[];
  /** Where a topic begins that this sink has never read. */
  readonly from: 'earliest' | 'latest';
  /** The sink's own folder: `<data_dir>/sinks/<name>`. */
  readonly directory: string;
  /** Of this installation of the sink; random, kept in its folder. */
  readonly instance: string;
  /** A person accepts that what retention has removed is lost. */
  readonly acceptGap: boolean;
  /** Counts what has arrived. */
  readonly onArrived: (arrived: { records: number; bytes: number }) => void;
}

/** A kind of sink: makes the workers of its partitions. */
export interface Sink {
  /** Bytes of records that workers may hold, on disk or in memory. */
  readonly maxBytes: number;
  createWorker(assignment: Assignment, feed: PartitionFeed): PartitionWorker;
  /** Ids of topics of this name that were replaced while records of theirs were held here. */
  leftovers(assignment: Assignment): Promise<string[]>;
  close(): Promise<void>;
}

/** What sinks can be made of. */
export interface SinkParts {
  readonly stores: readonly StoreComponent[];
  readonly formats: readonly FormatComponent[];
}

/** A type of sink: see `sinkComponents` for those that there are. */
export interface SinkComponent<Schema extends OptionsSchema = OptionsSchema>
  extends Component<Schema, SinkContext, Sink | Promise<Sink>> {
  /** Of a sink whose options name stores or formats: the same with these. */
  withParts?(parts: SinkParts): SinkComponent;
  /** Of a sink that keeps an archive: which one, for whoever looks at it without the sink. */
  archive?(options: z.output<Schema>): SinkArchive;
}

/** The archive of a sink. */
export interface SinkArchive extends ArchiveSite {
  /** Where the sink's options name the store. */
  readonly optionPath: readonly string[];
  /** The name of its claims, where that is not the sink's own. */
  readonly continues: string | undefined;
  /** What becomes a file, and how. */
  readonly format: string;
  readonly filePer: 'key' | 'partition';
}
