import { join } from 'node:path';
import type { LogEnvironment } from './environment.js';
import {
  parseSegmentFileName,
  SEQUENCES_SUFFIX,
  SNAPSHOT_SUFFIX,
  segmentFileName,
} from './format.js';
import { LogError } from './log-error.js';
import { decodeSequences, encodeSequences } from './producer-sequences.js';
import { decodeSnapshot, encodeSnapshot } from './producer-snapshot.js';
import type { Producers } from './producers.js';

/**
 * Writes the state of the producers as of `offset`. A torn file is noticed when it is read. What
 * Kafka's format has no place for is written before it: where a snapshot is whole, so is that.
 */
export function writeSnapshot(
  env: LogEnvironment,
  directory: string,
  offset: number,
  producers: Producers,
): void {
  writeSequences(env, directory, offset, producers);
  const path = join(directory, segmentFileName(offset, SNAPSHOT_SUFFIX));
  const file = env.disk.openSync(path, 'w');
  try {
    file.writeSync([encodeSnapshot(producers.entries())], 0);
  } finally {
    file.closeSync();
  }
}

function writeSequences(
  env: LogEnvironment,
  directory: string,
  offset: number,
  producers: Producers,
): void {
  const entries = [...producers.entries()].filter(({ batches }) => batches.length > 1);
  if (entries.length === 0) return;
  const path = join(directory, segmentFileName(offset, SEQUENCES_SUFFIX));
  // Renamed, so that a kill while it is written again leaves the one there was.
  const file = env.disk.openSync(`${path}.tmp`, 'w');
  try {
    file.writeSync([encodeSequences(entries)], 0);
  } finally {
    file.closeSync();
  }
  env.disk.renameSync(`${path}.tmp`, path);
}

/** Removes a snapshot and what lies beside it. */
export async function removeSnapshot(
  env: LogEnvironment,
  directory: string,
  offset: number,
): Promise<void> {
  for (const suffix of [SNAPSHOT_SUFFIX, SEQUENCES_SUFFIX]) {
    await env.disk.remove(join(directory, segmentFileName(offset, suffix)));
  }
}

/** Offsets of the snapshots among the directory's entries, ascending. */
export function snapshotOffsets(names: readonly string[]): number[] {
  const offsets: number[] = [];
  for (const name of names) {
    const parsed = parseSegmentFileName(name);
    if (parsed?.suffix === SNAPSHOT_SUFFIX) offsets.push(parsed.baseOffset);
  }
  return offsets.sort((a, b) => a - b);
}

/**
 * Takes over the newest snapshot whose offset is not above `maxOffset`; newer and damaged ones are
 * removed. Returns its offset, undefined where there is none.
 */
export async function loadSnapshot(
  env: LogEnvironment,
  directory: string,
  names: readonly string[],
  maxOffset: number,
  producers: Producers,
): Promise<number | undefined> {
  for (const offset of snapshotOffsets(names).reverse()) {
    const path = join(directory, segmentFileName(offset, SNAPSHOT_SUFFIX));
    if (offset <= maxOffset) {
      try {
        producers.restore(decodeSnapshot(await env.disk.readFile(path), env.clock.now()));
        await loadSequences(env, directory, names, offset, producers);
        return offset;
      } catch (error) {
        if (!(error instanceof LogError)) throw error;
        env.log.warn('a damaged producer snapshot is dropped', { path, reason: error.message });
      }
    }
    await removeSnapshot(env, directory, offset);
  }
  return undefined;
}

/** Whoever repeats a batch that was in flight repeats up to five; the snapshot names the last. */
async function loadSequences(
  env: LogEnvironment,
  directory: string,
  names: readonly string[],
  offset: number,
  producers: Producers,
): Promise<void> {
  const name = segmentFileName(offset, SEQUENCES_SUFFIX);
  if (!names.includes(name)) return;
  const path = join(directory, name);
  try {
    for (const found of decodeSequences(await env.disk.readFile(path))) producers.complete(found);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    env.log.warn('the sequences of producers are dropped', { path, reason: error.message });
  }
}
