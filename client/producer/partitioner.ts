/** What a partitioner function is told. */
export interface PartitionerInput {
  readonly topic: string;
  readonly key: Buffer | null;
}

/**
 * How a record without a partition of its own finds one.
 * `default`: by key where there is one, else sticky. `key`: the same, but a key is demanded.
 * `sticky`: one partition per batch, chosen at random (KIP-480). `roundRobin` and `random`: per
 * record, whatever the key. `explicit`: every record must name its partition.
 * A function returns the partition's number.
 */
export type Partitioner =
  | 'default'
  | 'key'
  | 'sticky'
  | 'roundRobin'
  | 'random'
  | 'explicit'
  | ((input: PartitionerInput, partitionCount: number) => number);
