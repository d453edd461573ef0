import { resolve } from 'node:path';
import type { System } from '../../../system/index.js';
import type { Finding } from '../../finding.js';
import { compileGlob } from './glob.js';
import { Lister } from './lister.js';
import type { FileOptions } from './options.js';

/** What each glob of a source would find now, and whether it may be read. Changes nothing. */
export function fileOutlook({ disk }: Pick<System, 'disk'>, options: FileOptions): Finding[] {
  const exclude = options.exclude.map((glob) => resolve(glob));
  return options.include.map((glob): Finding => {
    const absolute = resolve(glob);
    const { base } = compileGlob(absolute);
    const stat = disk.statSync(base);
    if (stat === undefined) return nothing(absolute, `there is no directory ${base}`);
    if (stat.kind !== 'directory') return nothing(absolute, `${base} is no directory`);
    const closed = [base].find((path) => !isReadable(disk, path));
    if (closed !== undefined) return denied(absolute, closed);
    const found = new Lister(disk, silent, [absolute], exclude).look(false);
    const files = found.filter(({ matched }) => matched).map(({ path }) => path);
    if (files.length === 0) return nothing(absolute, 'a file is read once it is there');
    const unreadable = files.filter((path) => !isReadable(disk, path));
    if (unreadable[0] !== undefined) return denied(absolute, unreadable[0], unreadable.length);
    const count = files.length === 1 ? '1 file' : `${files.length} files`;
    return { outcome: 'good', what: `${absolute} matches ${count}` };
  });
}

function nothing(glob: string, why: string): Finding {
  return { outcome: 'warning', what: `${glob} matches no file yet`, why };
}

function denied(glob: string, path: string, count = 1): Finding {
  const others = count > 1 ? ` and ${count - 1} more` : '';
  const why = `${path}${others} cannot be read: permission denied for this user`;
  return { outcome: 'bad', what: `${glob}`, why };
}

function isReadable(disk: System['disk'], path: string): boolean {
  try {
    disk.accessSync(path, 'read');
    return true;
  } catch (error) {
    // What is gone meanwhile forbids nothing.
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/** The outlook says itself what it finds. */
const silent = { raise: () => {}, clear: () => {} };
