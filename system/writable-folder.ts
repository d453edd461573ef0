import { dirname, resolve } from 'node:path';
import { refuseIfLocked } from './lock.js';
import type { System } from './system.js';

/**
 * Looks whether a process could work in a folder, which is made where it is missing: what counts
 * is the nearest one that is there. Changes nothing; throws what is in the way.
 */
export function refuseUnlessWritable(system: System, path: string): void {
  system.disk.accessSync(nearestDirectory(system.disk, resolve(path)), 'write');
  refuseIfLocked(system, path);
}

function nearestDirectory(disk: System['disk'], path: string): string {
  const stat = statOf(disk, path);
  if (stat?.kind === 'directory') return path;
  if (stat !== undefined) throw new Error(`${path} is a file, not a directory`);
  return nearestDirectory(disk, dirname(path));
}

function statOf(disk: System['disk'], path: string) {
  try {
    return disk.statSync(path);
  } catch (error) {
    // Below a file there is nothing either; the file itself is met on the way up.
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  }
}
