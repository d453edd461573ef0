import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createRealSystem } from '../../system/real/index.js';
import { createSimSystem } from '../../system/sim/index.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'logflume-watch-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Watches, and waits for hints. */
async function watching(roots: readonly { path: string; recursive: boolean }[]) {
  const seen = new Set<string>();
  let wake = () => {};
  const handle = await createRealSystem().watch.directories(roots, {
    onChange: (path) => {
      seen.add(path);
      wake();
    },
  });
  /** Until the path is named, or a directory that it is in. */
  const until = async (path: string) => {
    while (![...seen].some((one) => path === one || path.startsWith(`${one}/`))) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    seen.clear();
  };
  seen.clear();
  return { seen, until, close: () => handle.close() };
}

it('names files that come, grow, move and stand in new directories', async () => {
  mkdirSync(join(root, 'a'));
  const watch = await watching([{ path: root, recursive: true }]);
  writeFileSync(join(root, 'a', 'x.log'), '1');
  await watch.until(join(root, 'a', 'x.log'));
  appendFileSync(join(root, 'a', 'x.log'), '2');
  await watch.until(join(root, 'a', 'x.log'));
  renameSync(join(root, 'a', 'x.log'), join(root, 'a', 'y.log'));
  await watch.until(join(root, 'a', 'y.log'));
  mkdirSync(join(root, 'b', 'c'), { recursive: true });
  writeFileSync(join(root, 'b', 'c', 'z.log'), '1');
  await watch.until(join(root, 'b', 'c', 'z.log'));
  await watch.close();
});

it('stays in the directory where it is not recursive', async () => {
  mkdirSync(join(root, 'below'));
  const watch = await watching([{ path: root, recursive: false }]);
  writeFileSync(join(root, 'below', 'x'), '1');
  writeFileSync(join(root, 'y'), '1');
  await watch.until(join(root, 'y'));
  expect([...watch.seen].some((path) => path.endsWith('below/x'))).toBe(false);
  await watch.close();
});

it('waits for a directory that is not there, and for one that comes back', async () => {
  const later = join(root, 'later');
  const watch = await watching([{ path: later, recursive: true }]);
  mkdirSync(later);
  writeFileSync(join(later, 'x'), '1');
  await watch.until(join(later, 'x'));
  rmSync(later, { recursive: true });
  await watch.until(later);
  mkdirSync(later);
  writeFileSync(join(later, 'y'), '1');
  await watch.until(join(later, 'y'));
  await watch.close();
});

it('watches directories only, however many files they hold', async () => {
  for (let index = 0; index < 200; index++) writeFileSync(join(root, `f${index}`), '');
  writeFileSync(join(root, 'target'), '');
  for (let index = 0; index < 20; index++) symlinkSync('target', join(root, `l${index}`));
  const inotifyHandles = () =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).includes('inotify');
      } catch {
        return false;
      }
    });
  const watches = () =>
    inotifyHandles()
      .map((fd) => readInotifyWatches(fd))
      .reduce((sum, count) => sum + count, 0);
  if (process.platform !== 'linux') return;
  const before = watches();
  const watch = await watching([{ path: root, recursive: true }]);
  expect(watches() - before).toBeLessThanOrEqual(2);
  await watch.close();
});

function readInotifyWatches(fd: string): number {
  const info = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
  return info.split('\n').filter((line) => line.startsWith('inotify wd:')).length;
}

it('the simulated one hints too', async () => {
  const sim = createSimSystem({ seed: 1 });
  const { disk, watch } = sim.process('p');
  disk.makeDirectorySync('/logs/deep');
  const seen: string[] = [];
  const handle = await watch.directories([{ path: '/logs', recursive: true }], {
    onChange: (path) => seen.push(path),
  });
  disk.openSync('/logs/deep/x', 'w').writeSync([Buffer.from('1')], 0);
  disk.renameSync('/logs/deep/x', '/logs/y');
  disk.replaceFileSync('/elsewhere', '');
  await sim.runUntilIdle();
  expect(new Set(seen)).toEqual(new Set(['/logs/deep/x', '/logs/y']));
  await handle.close();
});
