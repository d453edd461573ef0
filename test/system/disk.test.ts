import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type World, worlds } from './worlds.js';

describe.each(worlds)('%s disk', (_name, createWorld) => {
  let world: World;
  beforeEach(() => {
    world = createWorld();
  });
  afterEach(() => world.close());
  const at = (...names: string[]) => join(world.directory, ...names);
  const code = (call: () => unknown) => {
    try {
      call();
    } catch (error) {
      return (error as { code?: string }).code;
    }
    return 'no error';
  };

  it('writes many chunks at a position and reads them back', async () => {
    const { disk } = world.system;
    const file = disk.openSync(at('f'), 'w');
    const chunks = Array.from({ length: 3000 }, (_, index) => Buffer.from(`${index},`));
    file.writeSync([Buffer.from('abc')], 0);
    file.writeSync([Buffer.alloc(0), ...chunks, Buffer.alloc(0)], 3);
    const expected = `abc${Buffer.concat(chunks).toString()}`;
    expect(disk.readFileSync(at('f')).toString()).toBe(expected);
    await world.run(() => file.write([Buffer.from('X'), Buffer.from('Y')], 1));
    const target = Buffer.alloc(4);
    expect(file.readSync(target, 0, 4, 0)).toBe(4);
    expect(target.toString()).toBe('aXY0');
    expect(await world.run(() => file.read(target, 2, 2, 0))).toBe(2);
    expect(target.toString()).toBe('aXaX');
    expect(file.readSync(target, 0, 4, expected.length)).toBe(0);
    expect(file.statSync().size).toBe(expected.length);
    file.truncateSync(2);
    expect((await world.run(() => disk.readFile(at('f')))).toString()).toBe('aX');
    await world.run(() => file.sync());
    file.syncSync();
    file.closeSync();
    file.closeSync();
    expect(code(() => file.readSync(target, 0, 1, 0))).toBe('EBADF');
  });

  it('honours the mode', () => {
    const { disk } = world.system;
    expect(code(() => disk.openSync(at('f'), 'r'))).toBe('ENOENT');
    expect(code(() => disk.openSync(at('f'), 'r+'))).toBe('ENOENT');
    const created = disk.openSync(at('f'), 'a+');
    created.writeSync([Buffer.from('hello')], 0);
    created.writeSync([Buffer.from('J')], 0);
    created.closeSync();
    expect(code(() => disk.openSync(at('f'), 'wx'))).toBe('EEXIST');
    const again = disk.openSync(at('f'), 'a+');
    expect(again.statSync().size).toBe(5);
    again.closeSync();
    expect(disk.readFileSync(at('f')).toString()).toBe('Jello');
    const reader = disk.openSync(at('f'), 'r');
    expect(code(() => reader.writeSync([Buffer.from('x')], 0))).toBe('EBADF');
    reader.closeSync();
    disk.openSync(at('f'), 'w').closeSync();
    expect(disk.statSync(at('f'))?.size).toBe(0);
    expect(code(() => disk.openSync(at('none', 'f'), 'w'))).toBe('ENOENT');
    expect(code(() => disk.openSync(at('f', 'x'), 'w'))).toBe('ENOTDIR');
    expect(code(() => disk.openSync(world.directory, 'w'))).toBe('EISDIR');
  });

  it('creates, lists and removes directories', async () => {
    const { disk } = world.system;
    disk.makeDirectorySync(at('a', 'b', 'c'));
    disk.makeDirectorySync(at('a', 'b', 'c'));
    await world.run(() => disk.makeDirectory(at('a', 'Z')));
    disk.replaceFileSync(at('a', 'f'), 'one');
    expect(disk.listSync(at('a'))).toEqual(['Z', 'b', 'f']);
    expect(await world.run(() => disk.list(at('a', 'b')))).toEqual(['c']);
    expect(disk.statSync(at('a'))?.kind).toBe('directory');
    expect(disk.statSync(at('a', 'nothing'))).toBeUndefined();
    expect(await world.run(() => disk.stat(at('a', 'nothing')))).toBeUndefined();
    expect(code(() => disk.makeDirectorySync(at('a', 'f')))).toBe('EEXIST');
    expect(code(() => disk.makeDirectorySync(at('a', 'f', 'g')))).toBe('ENOTDIR');
    expect(code(() => disk.listSync(at('none')))).toBe('ENOENT');
    expect(code(() => disk.listSync(at('a', 'f')))).toBe('ENOTDIR');
    await world.run(() => disk.removeTree(at('a')));
    await world.run(() => disk.removeTree(at('a')));
    expect(disk.listSync(world.directory)).toEqual([]);
  });

  it('renames over what is there, links only where nothing is', async () => {
    const { disk } = world.system;
    disk.replaceFileSync(at('one'), '1');
    await world.run(() => disk.replaceFile(at('two'), '2'));
    const identity = disk.statSync(at('one'))?.inode;
    expect(code(() => disk.linkSync(at('one'), at('two')))).toBe('EEXIST');
    disk.linkSync(at('one'), at('three'));
    expect(disk.statSync(at('three'))).toMatchObject({ inode: identity, links: 2, kind: 'file' });
    disk.renameSync(at('one'), at('two'));
    expect(disk.statSync(at('two'))?.inode).toBe(identity);
    expect(disk.readFileSync(at('two')).toString()).toBe('1');
    expect(disk.listSync(world.directory)).toEqual(['three', 'two']);
    await world.run(() => disk.rename(at('three'), at('four')));
    await world.run(() => disk.link(at('four'), at('five')));
    await expect(world.run(() => disk.link(at('four'), at('five')))).rejects.toMatchObject({
      code: 'EEXIST',
    });
    await expect(world.run(() => disk.rename(at('none'), at('five')))).rejects.toMatchObject({
      code: 'ENOENT',
    });
    disk.removeSync(at('five'));
    disk.removeSync(at('five'));
    await world.run(() => disk.remove(at('four')));
    await world.run(() => disk.remove(at('four')));
    expect(disk.listSync(world.directory)).toEqual(['two']);
    disk.syncDirectorySync(world.directory);
    await world.run(() => disk.syncDirectory(world.directory));
  });

  it('keeps an unlinked file readable for those who hold it open', () => {
    const { disk } = world.system;
    disk.replaceFileSync(at('f'), 'still here');
    const file = disk.openSync(at('f'), 'r');
    disk.removeSync(at('f'));
    const target = Buffer.alloc(20);
    expect(target.toString('utf8', 0, file.readSync(target, 0, 20, 0))).toBe('still here');
    expect(file.statSync().links).toBe(0);
    file.closeSync();
  });

  it('follows symbolic links', async () => {
    const { disk } = world.system;
    disk.makeDirectorySync(at('real'));
    disk.replaceFileSync(at('real', 'f'), 'x');
    await world.symlink(at('real'), at('way'));
    await world.symlink('real/f', at('file'));
    await world.symlink('nowhere', at('broken'));
    await world.symlink('loop', at('loop'));
    expect(disk.readFileSync(at('way', 'f')).toString()).toBe('x');
    expect(disk.statSync(at('file'))?.inode).toBe(disk.statSync(at('real', 'f'))?.inode);
    expect(disk.realPathSync(at('way', 'f'))?.endsWith('/real/f')).toBe(true);
    expect(disk.realPathSync(at('broken'))).toBeUndefined();
    expect(disk.statSync(at('broken'))).toBeUndefined();
    expect(code(() => disk.statSync(at('loop')))).toBe('ELOOP');
  });

  it('replaces a file as a whole', () => {
    const { disk } = world.system;
    disk.replaceFileSync(at('f'), 'old and long');
    disk.replaceFileSync(at('f'), Buffer.from('new'));
    expect(disk.readFileSync(at('f')).toString()).toBe('new');
    expect(disk.listSync(world.directory)).toEqual(['f']);
  });
});
