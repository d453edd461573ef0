import { LogError } from './log-error.js';

const VERSION = '0';

/**
 * Kafka's checkpoint files: a version, the number of entries, and one entry of words and numbers
 * per line.
 */
function encodeCheckpoint(lines: readonly string[]): string {
  return `${[VERSION, lines.length, ...lines].join('\n')}\n`;
}

/** The entries' lines. Throws LogError INVALID_LOG_DIRECTORY where the file is not whole. */
function decodeCheckpoint(content: string): string[] {
  const [version, count, ...rest] = content.split('\n');
  if (version?.trim() !== VERSION) throw damaged(`its version is ${JSON.stringify(version)}`);
  const lines = rest.filter((line) => line.trim() !== '');
  if (Number(count) !== lines.length) throw damaged(`${count} entries told, ${lines.length} found`);
  return lines;
}

/** An offset of one partition. */
export interface PartitionOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Content of `recovery-point-offset-checkpoint` and its like. */
export function encodePartitionOffsets(offsets: Iterable<PartitionOffset>): string {
  const lines: string[] = [];
  for (const { topic, partition, offset } of offsets) lines.push(`${topic} ${partition} ${offset}`);
  return encodeCheckpoint(lines);
}

/** Reads what `encodePartitionOffsets` or Kafka wrote. */
export function decodePartitionOffsets(content: string): PartitionOffset[] {
  return decodeCheckpoint(content).map((line) => {
    const [topic, partition, offset] = line.split(' ');
    if (topic === undefined) throw damaged(`the line ${JSON.stringify(line)}`);
    return { topic, partition: toNumber(partition, line), offset: toNumber(offset, line) };
  });
}

/** The offset at which a leader epoch begins. */
export interface EpochStart {
  readonly epoch: number;
  readonly startOffset: number;
}

/** Content of `leader-epoch-checkpoint`. */
export function encodeEpochs(epochs: readonly EpochStart[]): string {
  return encodeCheckpoint(epochs.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`));
}

/** Reads what `encodeEpochs` or Kafka wrote. */
export function decodeEpochs(content: string): EpochStart[] {
  return decodeCheckpoint(content).map((line) => {
    const [epoch, startOffset] = line.split(' ');
    return { epoch: toNumber(epoch, line), startOffset: toNumber(startOffset, line) };
  });
}

function toNumber(word: string | undefined, line: string): number {
  const number = word === undefined || word === '' ? Number.NaN : Number(word);
  if (!Number.isSafeInteger(number)) throw damaged(`the line ${JSON.stringify(line)}`);
  return number;
}

function damaged(reason: string): LogError {
  return new LogError('INVALID_LOG_DIRECTORY', `the checkpoint is damaged: ${reason}`);
}
