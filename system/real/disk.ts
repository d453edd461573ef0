import * as fs from 'node:fs';
import { dirname } from 'node:path';
import type { Disk, FileStat } from '../disk.js';
import { openFile, openFileSync, toFileStat } from './disk-file.js';

/** The machine's file system. */
export function createDisk(): Disk {
  return {
    openSync: openFileSync,
    open: openFile,
    statSync,
    stat,
    realPathSync,
    readFileSync: (path) => fs.readFileSync(path),
    readFile: (path) => fs.promises.readFile(path),
    listSync: (path) => fs.readdirSync(path).sort(),
    list: async (path) => (await fs.promises.readdir(path)).sort(),
    makeDirectorySync: (path) => {
      fs.mkdirSync(path, { recursive: true });
    },
    makeDirectory: async (path) => {
      await fs.promises.mkdir(path, { recursive: true });
    },
    renameSync: (from, to) => fs.renameSync(from, to),
    rename: (from, to) => fs.promises.rename(from, to),
    linkSync: (from, to) => fs.linkSync(from, to),
    link: (from, to) => fs.promises.link(from, to),
    removeSync,
    remove,
    removeTree: (path) => fs.promises.rm(path, { recursive: true, force: true }),
    syncDirectorySync,
    syncDirectory,
    replaceFileSync,
    replaceFile,
  };
}

function statSync(path: string): FileStat | undefined {
  const stats = fs.statSync(path, { throwIfNoEntry: false });
  return stats && toFileStat(stats);
}

async function stat(path: string): Promise<FileStat | undefined> {
  try {
    return toFileStat(await fs.promises.stat(path));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function realPathSync(path: string): string | undefined {
  try {
    return fs.realpathSync(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function removeSync(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

async function remove(path: string): Promise<void> {
  try {
    await fs.promises.unlink(path);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

// Windows cannot open a directory; NTFS journals its entries without being asked.
const directoriesSync = process.platform !== 'win32';

function syncDirectorySync(path: string): void {
  if (!directoriesSync) return;
  const descriptor = fs.openSync(path, 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

async function syncDirectory(path: string): Promise<void> {
  if (!directoriesSync) return;
  const handle = await fs.promises.open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function replaceFileSync(path: string, content: Uint8Array | string): void {
  const temporary = `${path}.tmp`;
  const file = openFileSync(temporary, 'w');
  try {
    file.writeSync([Buffer.from(content)], 0);
    file.syncSync();
  } finally {
    file.closeSync();
  }
  fs.renameSync(temporary, path);
  syncDirectorySync(dirname(path));
}

async function replaceFile(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await openFile(temporary, 'w');
  try {
    await file.write([Buffer.from(content)], 0);
    await file.sync();
  } finally {
    file.closeSync();
  }
  await fs.promises.rename(temporary, path);
  await syncDirectory(dirname(path));
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
