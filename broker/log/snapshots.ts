import { join } from 'node:path';
import type { LogEnvironment } from './environment.js';
import { parseSegmentFileName, SNAPSHOT_SUFFIX, segmentFileName } from './format.js';
import { LogError } from './log-error.js';
import { decodeSnapshot, encodeSnapshot } from './producer-snapshot.js';
import type { Producers } from './producers.js';

/** Writes the state of the producers as of `offset`. A torn one is noticed when it is read. */
export function writeSnapshot(
  env: LogEnvironment,
  directory: string,
  offset: number,
  producers: Producers,
): void {
  const path = join(directory, segmentFileName(offset, SNAPSHOT_SUFFIX));
  const file = env.disk.openSync(path, 'w');
  try {
    file.writeSync([encodeSnapshot(producers.entries())], 0);
  } finally {
    file.closeSync();
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
        return offset;
      } catch (error) {
        if (!(error instanceof LogError)) throw error;
        env.log.warn('a damaged producer snapshot is dropped', { path, reason: error.message });
      }
    }
    await env.disk.remove(path);
  }
  return undefined;
}
