import * as fs from 'node:fs';
import type { Disk, FileStat } from '../disk.js';
import { pathFromBytes } from '../path-bytes.js';
import { replaceFile, replaceFileSync } from '../replace-file.js';
import { openFile, openFileSync, toFileStat } from './disk-file.js';
import { list, listSync, native } from './disk-path.js';

/** The machine's file system. */
export function createDisk(): Disk {
  const disk = {
    openSync: openFileSync,
    open: openFile,
    statSync,
    stat,
    realPathSync,
    accessSync: (path: string, to: 'read' | 'write') => {
      const { R_OK, W_OK, X_OK } = fs.constants;
      fs.accessSync(native(path), to === 'read' ? R_OK : W_OK | X_OK);
    },
    readFileSync: (path: string) => fs.readFileSync(native(path)),
    readFile: (path: string) => fs.promises.readFile(native(path)),
    listSync,
    list,
    makeDirectorySync: (path: string) => {
      fs.mkdirSync(native(path), { recursive: true });
    },
    makeDirectory: async (path: string) => {
      await fs.promises.mkdir(native(path), { recursive: true });
    },
    renameSync: (from: string, to: string) => fs.renameSync(native(from), native(to)),
    rename: (from: string, to: string) => fs.promises.rename(native(from), native(to)),
    linkSync: (from: string, to: string) => fs.linkSync(native(from), native(to)),
    link: (from: string, to: string) => fs.promises.link(native(from), native(to)),
    removeSync,
    remove,
    removeTree: (path: string) => fs.promises.rm(native(path), { recursive: true, force: true }),
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
  const stats = fs.statSync(native(path), { throwIfNoEntry: false });
  return stats && toFileStat(stats);
}

async function stat(path: string): Promise<FileStat | undefined> {
  try {
    return toFileStat(await fs.promises.stat(native(path)));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function realPathSync(path: string): string | undefined {
  try {
    return pathFromBytes(fs.realpathSync(native(path), 'buffer'));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function removeSync(path: string): void {
  try {
    fs.unlinkSync(native(path));
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

async function remove(path: string): Promise<void> {
  try {
    await fs.promises.unlink(native(path));
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

// Windows cannot open a directory; NTFS journals its entries without being asked.
const directoriesSync = process.platform !== 'win32';

function syncDirectorySync(path: string): void {
  if (!directoriesSync) return;
  const descriptor = fs.openSync(native(path), 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

async function syncDirectory(path: string): Promise<void> {
  if (!directoriesSync) return;
  const handle = await fs.promises.open(native(path), 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
