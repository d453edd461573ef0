import { posix } from 'node:path';
import type { Disk, DiskFile, FileStat, OpenMode } from '../disk.js';
import { replaceFile, replaceFileSync } from '../replace-file.js';
import { createDiskContext, type DiskContext, statOf } from './disk-context.js';
import { SimFile } from './disk-file.js';
import { diskError, type Place, type SimVolume } from './disk-paths.js';
import type { Inode } from './disk-tree.js';
import type { Life } from './life.js';
import type { SeededRandom } from './random.js';
import type { Scheduler } from './scheduler.js';
import type { WallClock } from './wall-clock.js';

/** A process's view of the disk of its machine. */
export function createSimDisk(
  volume: SimVolume,
  life: Life,
  scheduler: Scheduler,
  random: SeededRandom,
  wall: WallClock,
): Disk {
  const context = createDiskContext(volume, life, scheduler, random, wall);
  const { later } = context;
  const calls = createCalls(context);
  const disk = {
    ...calls,
    open: (path: string, mode: OpenMode) => later(() => calls.openSync(path, mode)),
    stat: (path: string) => later(() => calls.statSync(path)),
    readFile: (path: string) => later(() => calls.readFileSync(path)),
    list: (path: string) => later(() => calls.listSync(path)),
    makeDirectory: (path: string) => later(() => calls.makeDirectorySync(path)),
    rename: (from: string, to: string) => later(() => calls.renameSync(from, to)),
    link: (from: string, to: string) => later(() => calls.linkSync(from, to)),
    remove: (path: string) => later(() => calls.removeSync(path)),
    removeTree: (path: string) => later(() => removeTree(context, path)),
    syncDirectory: (path: string) => later(() => calls.syncDirectorySync(path)),
  };
  return {
    ...disk,
    replaceFileSync: (path, content) => replaceFileSync(disk, path, content),
    replaceFile: (path, content) => replaceFile(disk, path, content),
  };
}

function createCalls(context: DiskContext) {
  const { volume } = context;
  const { tree } = volume;

  const existing = (path: string, call: string): Place & { inode: Inode } => {
    const place = volume.locate(path, call, true);
    if (place.inode === undefined) throw diskError('ENOENT', call, path);
    return { ...place, inode: place.inode };
  };
  const directory = (path: string, call: string): Inode => {
    const { inode } = existing(path, call);
    if (inode.kind !== 'directory') throw diskError('ENOTDIR', call, path);
    return inode;
  };

  return {
    openSync: (path: string, mode: OpenMode): DiskFile => openSync(context, path, mode),
    statSync: (path: string): FileStat | undefined => {
      context.life.check(`stat ${path}`);
      const place = locateOrNothing(volume, path, 'stat');
      return place?.inode && statOf(place.inode);
    },
    realPathSync: (path: string): string | undefined => {
      context.life.check(`realpath ${path}`);
      const place = locateOrNothing(volume, path, 'realpath');
      return place?.inode && place.path;
    },
    accessSync: (path: string): void => {
      context.life.check(`access ${path}`);
      existing(path, 'access');
    },
    readFileSync: (path: string): Buffer => {
      const { inode } = existing(path, 'open');
      if (inode.kind !== 'file') throw diskError('EISDIR', 'read', path);
      context.read('read', path, { opens: true });
      return Buffer.from(inode.content.view);
    },
    listSync: (path: string): string[] => {
      context.read('read', path, { opens: true });
      return [...directory(path, 'scandir').entries.keys()].sort();
    },
    makeDirectorySync: (path: string): void => makeDirectorySync(context, path),
    renameSync: (from: string, to: string): void => renameSync(context, from, to),
    linkSync: (from: string, to: string): void => {
      const { inode } = existing(from, 'link');
      const target = volume.locate(to, 'link', false);
      if (target.inode) throw diskError('EEXIST', 'link', to);
      context.effect('link', to);
      tree.change([{ directory: target.directory, name: target.name, inode }]);
      volume.changed(target.path);
    },
    removeSync: (path: string): void => {
      const place = locateOrNothing(volume, path, 'unlink', false);
      context.life.check(`remove ${path}`);
      if (place?.inode === undefined) return;
      if (place.inode.kind === 'directory') throw diskError('EISDIR', 'unlink', path);
      context.effect('remove', path);
      unlink(volume, place);
    },
    syncDirectorySync: (path: string): void => {
      const inode = directory(path, 'fsync');
      context.effect('sync', path, { opens: true });
      tree.sync(inode);
    },
  };
}

function openSync(context: DiskContext, path: string, mode: OpenMode): DiskFile {
  const { volume } = context;
  const place = volume.locate(path, 'open', true);
  const creates = mode === 'w' || mode === 'wx' || mode === 'a+';
  if (place.inode === undefined && !creates) throw diskError('ENOENT', 'open', path);
  if (place.inode && mode === 'wx') throw diskError('EEXIST', 'open', path);
  if (place.inode?.kind === 'directory') throw diskError('EISDIR', 'open', path);
  const changes = place.inode === undefined || (mode === 'w' && place.inode.content.size > 0);
  const needs = { creates: place.inode === undefined, opens: true };
  if (changes) context.effect('open', path, needs);
  else context.read('open', path, needs);
  const inode = place.inode ?? volume.tree.create('file');
  if (place.inode === undefined) {
    inode.modifiedMs = context.wall.now();
    volume.tree.change([{ directory: place.directory, name: place.name, inode }]);
  } else if (mode === 'w' && changes) {
    volume.usedBytes -= inode.content.size;
    inode.content.truncate(0);
    inode.modifiedMs = context.wall.now();
  }
  if (changes) volume.changed(place.path);
  return new SimFile(context, place.path, inode, mode !== 'r');
}

function makeDirectorySync(context: DiskContext, path: string): void {
  const { volume } = context;
  context.life.check(`mkdir ${path}`);
  const names = posix
    .resolve('/', path)
    .split('/')
    .filter((name) => name !== '');
  for (let depth = 1; depth <= names.length; depth++) {
    const part = `/${names.slice(0, depth).join('/')}`;
    const place = volume.locate(part, 'mkdir', true);
    if (place.inode?.kind === 'directory') continue;
    if (place.inode) throw diskError(depth < names.length ? 'ENOTDIR' : 'EEXIST', 'mkdir', path);
    context.effect('mkdir', part, { creates: true });
    const inode = volume.tree.create('directory');
    volume.tree.change([{ directory: place.directory, name: place.name, inode }]);
    volume.changed(place.path);
  }
}

function renameSync(context: DiskContext, from: string, to: string): void {
  const { volume } = context;
  const source = volume.locate(from, 'rename', false);
  const target = volume.locate(to, 'rename', false);
  const { inode } = source;
  if (inode === undefined) throw diskError('ENOENT', 'rename', from);
  if (target.inode?.kind === 'directory') {
    if (inode.kind !== 'directory') throw diskError('EISDIR', 'rename', to);
    if (target.inode.entries.size > 0) throw diskError('ENOTEMPTY', 'rename', to);
  } else if (target.inode && inode.kind === 'directory') throw diskError('ENOTDIR', 'rename', to);
  context.effect('rename', to);
  if (inode === target.inode) return;
  if (target.inode?.kind === 'file' && target.inode.links === 1) {
    volume.usedBytes -= target.inode.content.size;
  }
  volume.tree.change([
    { directory: target.directory, name: target.name, inode },
    { directory: source.directory, name: source.name, inode: undefined },
  ]);
  volume.changed(source.path);
  volume.changed(target.path);
}

function removeTree(context: DiskContext, path: string): void {
  const { volume } = context;
  const place = locateOrNothing(volume, path, 'rm', false);
  context.life.check(`remove ${path}`);
  if (place?.inode === undefined) return;
  if (place.inode.kind === 'directory') {
    for (const name of [...place.inode.entries.keys()]) removeTree(context, posix.join(path, name));
  }
  context.effect('remove', path);
  unlink(volume, place);
}

function unlink(volume: SimVolume, { directory, name, inode, path }: Place): void {
  if (inode?.kind === 'file' && inode.links === 1) volume.usedBytes -= inode.content.size;
  volume.tree.change([{ directory, name, inode: undefined }]);
  volume.changed(path);
}

function locateOrNothing(
  volume: SimVolume,
  path: string,
  call: string,
  follow = true,
): Place | undefined {
  try {
    return volume.locate(path, call, follow);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
