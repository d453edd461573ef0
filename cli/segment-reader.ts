import { basename, join } from 'node:path';
import { type BatchHeader, RecordsError, verifyBatch } from '../protocol/records/index.js';
import type { Disk } from '../system/index.js';
import { CommandError } from './failure.js';

const SEGMENT = /^\d{20}\.log$/;
/** Base offset and length: what stands before the bytes that the length counts. */
const LENGTH_AT = 8;
const OVERHEAD_BYTES = 12;

/** A batch of a segment file; or, last, why the file cannot be read further. */
export type FoundBatch =
  | { readonly position: number; readonly header: BatchHeader; readonly bytes: Buffer }
  | { readonly position: number; readonly fault: string };

/** The segment files at or below a path, in order; throws where there are none. */
export function segmentsBelow(disk: Disk, path: string): string[] {
  const found: string[] = [];
  const walk = (current: string): void => {
    const stat = disk.statSync(current);
    if (stat?.kind === 'directory') {
      for (const name of disk.listSync(current)) walk(join(current, name));
    } else if (stat?.kind === 'file' && SEGMENT.test(basename(current))) {
      found.push(current);
    }
  };
  walk(path);
  if (found.length > 0) return found;
  const reason = disk.statSync(path) ? 'there is no segment (….log) in it' : 'it does not exist';
  throw new CommandError(`${path}: ${reason}`);
}

/** Walks the batches of a segment, checking each in depth. Ends behind the first fault. */
export function* batchesOfSegment(disk: Disk, path: string): Generator<FoundBatch> {
  const file = disk.openSync(path, 'r');
  try {
    const { size } = file.statSync();
    const overhead = Buffer.allocUnsafe(OVERHEAD_BYTES);
    for (let position = 0; position < size; ) {
      const room = size - position;
      const got = file.readSync(overhead, 0, OVERHEAD_BYTES, position);
      const length = got < OVERHEAD_BYTES ? 0 : overhead.readInt32BE(LENGTH_AT) + OVERHEAD_BYTES;
      if (length <= OVERHEAD_BYTES || length > room) {
        yield { position, fault: `${room} bytes that are no whole batch` };
        return;
      }
      const bytes = Buffer.allocUnsafe(length);
      file.readSync(bytes, 0, length, position);
      const found = checked(bytes, position);
      yield found;
      if ('fault' in found) return;
      position += length;
    }
  } finally {
    file.closeSync();
  }
}

function checked(bytes: Buffer, position: number): FoundBatch {
  try {
    return { position, header: verifyBatch(bytes, 0, { deep: true }), bytes };
  } catch (error) {
    if (error instanceof RecordsError) return { position, fault: error.message };
    throw error;
  }
}
