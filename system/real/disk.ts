import * as fs from 'node:fs';
import type { Disk, FileStat } from '../disk.js';
import { replaceFile, replaceFileSync } from '../replace-file.js';
import { openFile, openFileSync, toFileStat } from './disk-file.js';

/** The machine's file system. */
export function createDisk(): Disk {
  const disk = {
    openSync: openFileSync,
    open: openFile,
    statSync,
    stat,
    realPathSync,
    readFileSync: (path: string) => fs.readFileSync(path),
    readFile: (path: string) => fs.promises.readFile(path),
    listSync: (path: string) => fs.readdirSync(path).sort(),
    list: async (path: string) => (await fs.promises.readdir(path)).sort(),
    makeDirectorySync: (path: string) => {
      fs.mkdirSync(path, { recursive: true });
    },
    makeDirectory: async (path: string) => {
      await fs.promises.mkdir(path, { recursive: true });
    },
    renameSync: (from: string, to: string) => fs.renameSync(from, to),
    rename: (from: string, to: string) => fs.promises.rename(from, to),
    linkSync: (from: string, to: string) => fs.linkSync(from, to),
    link: (from: string, to: string) => fs.promises.link(from, to),
    removeSync,
    remove,
    removeTree: (path: string) => fs.promises.rm(path, { recursive: true, force: true }),
    syncDirectorySync,
    syncDirectory,
  };
  return {
    ...disk,
    replaceFileSync: (path, content) => replaceFileSync(disk, path, content),
    replaceFile: (path, content) => replaceFile(disk, path, content),
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

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
