import type { FileStat } from '../disk.js';
import type { DiskOperation, SimVolume } from './disk-paths.js';
import type { Inode } from './disk-tree.js';
import type { Life } from './life.js';
import type { SeededRandom } from './random.js';
import type { Scheduler } from './scheduler.js';
import type { WallClock } from './wall-clock.js';

/** Asynchronous calls take up to this long, so that they overtake one another. */
const maxLatencyMs = 1;

/** What one process's calls on one volume need. */
export interface DiskContext {
  readonly volume: SimVolume;
  readonly life: Life;
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  /** Gives files their times. */
  readonly wall: WallClock;
  /** Runs the call on the simulated threadpool. */
  later<T>(call: () => T): Promise<T>;
  /** Before each call that changes the disk: counts the step, then applies the fault rules. */
  effect(call: DiskOperation['call'], path: string, needs?: Needs, tear?: () => void): void;
  /** Before each call that only reads it. */
  read(call: DiskOperation['call'], path: string, needs?: Needs): void;
}

/** What a call takes of what may be used up. */
type Needs = Pick<DiskOperation, 'creates' | 'opens'>;

export function createDiskContext(
  volume: SimVolume,
  life: Life,
  scheduler: Scheduler,
  random: SeededRandom,
  wall: WallClock,
): DiskContext {
  const failAsRuled = (call: DiskOperation['call'], path: string, needs: Needs = {}) => {
    const error = volume.faultOf({ process: life.name, call, path, ...needs });
    if (error) throw error;
  };
  return {
    volume,
    life,
    scheduler,
    random,
    wall,
    later: (call) =>
      new Promise((resolve, reject) => {
        scheduler.after(random.float() * maxLatencyMs, life, () => {
          try {
            resolve(call());
          } catch (error) {
            // The caller of a process that has just died must never hear of it.
            if (life.alive) reject(error);
          }
        });
      }),
    effect: (call, path, needs, tear) => {
      life.effect(`${call} ${path}`, tear);
      failAsRuled(call, path, needs);
    },
    read: (call, path, needs) => {
      life.check(`${call} ${path}`);
      failAsRuled(call, path, needs);
    },
  };
}

/** The one device of a simulated volume. */
const device = 1;

export function statOf(inode: Inode): FileStat {
  return {
    kind: inode.kind === 'link' ? 'other' : inode.kind,
    size: inode.kind === 'file' ? inode.content.size : 0,
    device,
    inode: inode.number,
    modifiedMs: inode.modifiedMs,
    links: inode.links,
  };
}
