import { createHash } from 'node:crypto';
import { crc32 } from '../../protocol/records/index.js';
import type { ClaimedFile, StoredFile } from './claims/index.js';
import { type CompressionName, compressions } from './compression.js';
import type { WrittenFile } from './staged-file.js';
import type { Store } from './stores/index.js';

/** What a file in the store is, compared with what its claim says. */
export type FileCheck =
  | { readonly state: 'absent' }
  | { readonly state: 'right'; readonly stored: StoredFile }
  | { readonly state: 'wrong'; readonly stored: StoredFile; readonly reason: string };

/**
 * Reads a file back that this process has written itself: size and CRC-32 tell whether it is
 * still the same. Where they differ, `checkFile` finds out what it is.
 */
export async function isAsWritten(
  store: Store,
  name: string,
  written: WrittenFile,
): Promise<boolean> {
  let crc = 0;
  const bytes = await store.scan(name, (slice) => {
    crc = crc32(slice, crc);
  });
  return bytes === written.bytes && crc === written.crc32;
}

/**
 * Reads a file back, as it lies in the store and uncompressed, and compares its content with the
 * claim. Rejects only where the store cannot be read.
 */
export async function checkFile(
  store: Store,
  file: ClaimedFile,
  name: CompressionName,
): Promise<FileCheck> {
  const compression = compressions[name];
  await compression.load();
  const content = createHash('sha256');
  const physical = compression.isIdentity ? content : createHash('sha256');
  let contentBytes = 0;
  let damage: string | undefined;
  const reader = compression.reader((bytes) => {
    content.update(bytes);
    contentBytes += bytes.length;
  });
  const undamaged = (read: () => void): void => {
    // What is behind the damage still belongs to the hash of the file.
    if (damage !== undefined) return;
    try {
      read();
    } catch (error) {
      damage = error instanceof Error ? error.message : String(error);
    }
  };
  const storedBytes = await store.scan(file.name, (slice) => {
    if (physical !== content) physical.update(slice);
    undamaged(() => reader.push(slice));
  });
  undamaged(() => reader.end());
  if (storedBytes === undefined) return { state: 'absent' };
  const contentHash = content.digest('hex');
  const stored: StoredFile = {
    name: file.name,
    bytes: storedBytes,
    sha256: physical === content ? contentHash : physical.digest('hex'),
  };
  if (damage === undefined && contentBytes === file.bytes && contentHash === file.sha256) {
    return { state: 'right', stored };
  }
  const reason = damage ?? `its content is ${contentBytes} bytes with SHA-256 ${contentHash}`;
  return { state: 'wrong', stored, reason };
}
