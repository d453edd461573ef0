import { dirname } from 'node:path';
import type { Disk, DiskFile } from './disk.js';

type Primitives = Omit<Disk, 'replaceFile' | 'replaceFileSync'>;

/** `Disk.replaceFileSync` by the disk's other calls. */
export function replaceFileSync(
  disk: Primitives,
  path: string,
  content: Uint8Array | string,
): void {
  const temporary = `${path}.tmp`;
  const file = disk.openSync(temporary, 'w');
  try {
    file.writeSync([Buffer.from(content)], 0);
    file.syncSync();
  } finally {
    file.closeSync();
  }
  disk.renameSync(temporary, path);
  disk.syncDirectorySync(dirname(path));
}

/** `Disk.replaceFile` by the disk's other calls. */
export async function replaceFile(
  disk: Primitives,
  path: string,
  content: Uint8Array | string,
): Promise<void> {
  const temporary = `${path}.tmp`;
  const file: DiskFile = await disk.open(temporary, 'w');
  try {
    await file.write([Buffer.from(content)], 0);
    await file.sync();
  } finally {
    file.closeSync();
  }
  await disk.rename(temporary, path);
  await disk.syncDirectory(dirname(path));
}
