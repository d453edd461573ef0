import type { Clock, Disk } from '../system/index.js';

/** Linux tells here what this process has open, and what it may. */
const OPEN_FILES = '/proc/self/fd';
const LIMITS = '/proc/self/limits';
/** What is kept free for files: segments that roll, cold reads, checkpoints. */
const RESERVE_SHARE = 1 / 4;
/** How long a count is believed. */
const MAX_AGE_MS = 100;

/** The same, where logs are opened for the first time: beside them some clients are served. */
export const RESERVE_SHARE_OF_LOGS = 5 / 16;

/**
 * Whether clients, or partitions that are opened, may take more of the process's descriptors. A
 * connection too many costs one client; a descriptor too few ends the log that cannot open its
 * next segment.
 */
export class Descriptors {
  private readonly limit: number;
  private countedMs = Number.NEGATIVE_INFINITY;
  private used = 0;

  constructor(
    private readonly disk: Pick<Disk, 'listSync' | 'readFileSync'>,
    private readonly clock: Pick<Clock, 'monotonic'>,
    /** What is kept free of all that there may be, for who is not asked for here. */
    private readonly reserveShare = RESERVE_SHARE,
  ) {
    this.limit = this.readLimit();
  }

  /** Descriptors that may be filled by who asks here, with what is open otherwise. */
  get ceiling(): number {
    return Math.floor(this.limit * (1 - this.reserveShare));
  }

  /**
   * Asked once for each that comes: false where the system does not tell.
   * @param coming descriptors that were granted, but may not be open yet
   */
  isShort(coming = 0): boolean {
    if (this.limit === Number.POSITIVE_INFINITY) return false;
    const now = this.clock.monotonic();
    // Near the ceiling each count is fresh; far from it there is room for all that come meanwhile.
    const isNear = this.used + coming + 16 >= this.ceiling;
    if (isNear || now - this.countedMs > MAX_AGE_MS) {
      this.used = this.count();
      this.countedMs = now;
    } else {
      this.used++;
    }
    return this.used + coming >= this.ceiling;
  }

  private count(): number {
    try {
      return this.disk.listSync(OPEN_FILES).length;
    } catch {
      // Not even the folder can be opened.
      return this.limit;
    }
  }

  private readLimit(): number {
    try {
      this.disk.listSync(OPEN_FILES);
      const found = /^Max open files\s+(\d+)/m.exec(this.disk.readFileSync(LIMITS).toString());
      return found === null ? Number.POSITIVE_INFINITY : Number(found[1]);
    } catch {
      return Number.POSITIVE_INFINITY;
    }
  }
}
