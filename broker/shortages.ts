import type { System } from '../system/index.js';
import type { LogError } from './log/index.js';

/** What a log can lack and get back without being opened anew. */
type Shortage = 'DISK_FULL' | 'NO_DESCRIPTORS';

const SENTENCES: Readonly<Record<Shortage, string>> = {
  DISK_FULL:
    'the disk of the broker is full (bytes or inodes): records are refused, and taken again ' +
    'once there is room',
  NO_DESCRIPTORS:
    'the broker has no file descriptors left (ulimit -n): records are refused, and taken again ' +
    'once some are free',
};

/**
 * Says as a problem that appends are refused for want of room or descriptors. It is over when
 * every partition that was refused has taken an append since, or when later work of the same
 * kind (a checkpoint) has succeeded: nobody may ever append to a partition again.
 */
export class Shortages {
  /** When each partition was refused last, by its name; milliseconds. */
  private readonly refusals: Readonly<Record<Shortage, Map<string, number>>> = {
    DISK_FULL: new Map(),
    NO_DESCRIPTORS: new Map(),
  };

  constructor(private readonly system: Pick<System, 'clock' | 'problems'>) {}

  /** An append to `partition` failed; other errors than these two are nothing to it. */
  refused(partition: string, { code, message }: LogError): boolean {
    if (code !== 'DISK_FULL' && code !== 'NO_DESCRIPTORS') return false;
    this.refusals[code].set(partition, this.system.clock.monotonic());
    this.system.problems.raise(code, SENTENCES[code], { partition, reason: message });
    return true;
  }

  /** An append to `partition`, which had been refused, has succeeded. */
  taken(partition: string): void {
    this.forget((name) => name === partition);
  }

  /** Work that began at `since` (monotonic) created, filled and synced files. */
  overcome(since: number): void {
    this.forget((_, refusedAt) => refusedAt < since);
  }

  private forget(isOver: (partition: string, refusedAt: number) => boolean): void {
    for (const code of ['DISK_FULL', 'NO_DESCRIPTORS'] as const) {
      const refused = this.refusals[code];
      for (const [name, at] of refused) if (isOver(name, at)) refused.delete(name);
      if (refused.size === 0) this.system.problems.clear(code);
    }
  }
}
