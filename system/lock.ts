import { join } from 'node:path';
import type { Timer } from './clock.js';
import type { System } from './system.js';

/** How often a holder shows that it lives, and when one that cannot be asked counts as gone. */
const HEARTBEAT_MS = 2_000;
const HEARTBEAT_LOST_MS = 10_000;
/** A living holder shows itself at least once in that time, whatever the time of day is. */
const HEARTBEAT_SEEN_MS = 3_000;
/** How often somebody who waits for that looks. */
const LOOK_MS = 500;

/** All lock files have this size: one can be written over another where no space is left. */
const LOCK_BYTES = 512;

const RESERVE_NAME = '.lock.reserve';
const LOCK_NAME = /^\.lock\.(\d{10})$/;

/** A folder cannot be locked; the message says what to do about it. */
export class DirectoryLockError extends Error {
  override readonly name = 'DirectoryLockError';

  constructor(
    /** `DIRECTORY_LOCKED`: another process uses it. `DIRECTORY_UNUSABLE`: it cannot be written. */
    readonly code: 'DIRECTORY_LOCKED' | 'DIRECTORY_UNUSABLE',
    message: string,
    options?: ErrorOptions,
    /** Since when the holder, which cannot be asked, has not been heard of (modification time). */
    readonly heardMs?: number,
  ) {
    super(message, options);
  }
}

/** The right to use a folder, held by this process until it ends or calls `release`. */
export interface DirectoryLock {
  readonly directory: string;
  /** Gives the folder free; where the disk fails, the end of the process does. Idempotent. */
  release(): void;
}

/** What a lock file says about its holder. */
interface Holder {
  readonly role: string;
  readonly pid: number;
  /** Start time and boot id; null where the system does not tell them. */
  readonly identity: string | null;
  /** Where `pid` means something; null where the system, or an older version, does not tell. */
  readonly namespace: string | null;
}

/**
 * `lockDirectory`, with patience for a holder that nobody here can ask whether it lives, such as
 * one in another container: whether its heartbeat has ended is watched for some seconds. The time
 * of day says so alone for a holder of long ago only, as somebody may have set it.
 *
 * @throws DirectoryLockError
 */
export async function awaitDirectoryLock(
  system: System,
  directory: string,
  role: string,
): Promise<DirectoryLock> {
  const { clock } = system;
  const startMs = clock.monotonic();
  let heardMs: number | undefined;
  const isSilent = (modifiedMs: number): boolean => {
    if (modifiedMs !== heardMs) return false;
    const quietMs = clock.monotonic() - startMs;
    const isLongAgo = clock.now() - modifiedMs > HEARTBEAT_LOST_MS;
    return quietMs >= (isLongAgo ? HEARTBEAT_SEEN_MS : HEARTBEAT_LOST_MS);
  };
  for (;;) {
    try {
      return lockDirectory(system, directory, role, isSilent);
    } catch (error) {
      const found = error instanceof DirectoryLockError ? error.heardMs : undefined;
      const isAlive = heardMs !== undefined && found !== heardMs;
      if (found === undefined || isAlive) throw error;
      if (heardMs === undefined) {
        system.log.info(`waiting whether the last user of ${directory} is still alive`);
      }
      heardMs = found;
    }
    await clock.sleep(LOOK_MS);
  }
}

/**
 * Makes this process the only user of `directory` (created where missing).
 *
 * Lock files are numbered and made by `link`, which is create-if-absent with whole content. The
 * highest number is the lock; it is never deleted, only followed by a higher one, so two processes
 * that both find a dead holder cannot both become the next: one of them fails to create its number
 * or sees a higher one beside it.
 *
 * Whether a holder lives is asked of the system where both are in one process id namespace.
 * Elsewhere (another container, or machine) its heartbeat tells: it rewrites its lock all the time.
 *
 * A lock needs no free space where the folder was used before: a file of the same size is kept.
 *
 * @param role names the user in the message that another process will get, such as `agent`.
 * @param isSilent whether a holder that was last heard of then counts as gone.
 * @throws DirectoryLockError
 */
export function lockDirectory(
  system: System,
  directory: string,
  role: string,
  isSilent = silentByTime(system),
): DirectoryLock {
  try {
    system.disk.makeDirectorySync(directory);
    for (;;) {
      const latest = lockNumbers(system, directory).at(-1) ?? 0;
      if (latest > 0) refuseIfAlive(system, directory, lockPath(directory, latest), isSilent);
      const path = lockPath(directory, latest + 1);
      const content = describeHolder(system, role);
      if (!createLock(system, directory, path, content)) continue;
      const numbers = lockNumbers(system, directory);
      if (numbers.at(-1) !== latest + 1) {
        system.disk.removeSync(path);
        continue;
      }
      retire(system, directory, numbers.slice(0, -1));
      return hold(system, directory, latest + 1, content);
    }
  } catch (error) {
    if (error instanceof DirectoryLockError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new DirectoryLockError(
      'DIRECTORY_UNUSABLE',
      `the ${role} cannot use its folder ${directory} (${reason}): make it writable for this ` +
        'user, or set data_dir to another place',
      { cause: error },
    );
  }
}

/**
 * Throws the DirectoryLockError that `lockDirectory` would throw now because another process uses
 * the folder. Changes nothing; the folder may be missing.
 */
export function refuseIfLocked(system: System, directory: string): void {
  if (system.disk.statSync(directory)?.kind !== 'directory') return;
  const latest = lockNumbers(system, directory).at(-1);
  if (latest === undefined) return;
  refuseIfAlive(system, directory, lockPath(directory, latest), silentByTime(system));
}

function lockPath(directory: string, number: number): string {
  return join(directory, `.lock.${String(number).padStart(10, '0')}`);
}

/** Ascending. */
function lockNumbers(system: System, directory: string): number[] {
  const numbers: number[] = [];
  for (const name of system.disk.listSync(directory)) {
    const match = LOCK_NAME.exec(name);
    if (match) numbers.push(Number(match[1]));
  }
  return numbers.sort((a, b) => a - b);
}

function describeHolder(system: System, role: string): Buffer {
  const { processes } = system;
  const { pid } = processes;
  const identity = processes.identity(pid) ?? null;
  const holder: Holder = { role, pid, identity, namespace: processes.namespace() ?? null };
  return Buffer.from(`${JSON.stringify(holder).padEnd(LOCK_BYTES - 1)}\n`);
}

/** False where someone else created this number first. */
function createLock(system: System, directory: string, path: string, content: Buffer): boolean {
  const temporary = `${path}.${system.random.bytes(8).toString('hex')}`;
  try {
    writeNew(system, directory, temporary, content);
    system.disk.linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    system.disk.removeSync(temporary);
  }
}

/** Where no space is left, the reserve becomes the file: it has its space already. */
function writeNew(system: System, directory: string, path: string, content: Buffer): void {
  try {
    write(system, path, 'wx', content);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reserve = join(directory, RESERVE_NAME);
    const isFull = code === 'ENOSPC' || code === 'EDQUOT';
    if (!isFull || system.disk.statSync(reserve)?.size !== LOCK_BYTES) throw error;
    system.disk.renameSync(reserve, path);
    write(system, path, 'r+', content);
  }
}

function write(system: System, path: string, mode: 'wx' | 'r+', content: Buffer): void {
  const file = system.disk.openSync(path, mode);
  try {
    file.writeSync([content], 0);
  } finally {
    file.closeSync();
  }
}

/** Takes older locks away; one of them is kept as the reserve. */
function retire(system: System, directory: string, numbers: readonly number[]): void {
  const { disk } = system;
  const reserve = join(directory, RESERVE_NAME);
  for (const number of numbers) {
    const path = lockPath(directory, number);
    const isUsable = disk.statSync(path)?.size === LOCK_BYTES;
    if (isUsable && disk.statSync(reserve)?.size !== LOCK_BYTES) disk.renameSync(path, reserve);
    else disk.removeSync(path);
  }
  if (disk.statSync(reserve)?.size === LOCK_BYTES) return;
  try {
    disk.removeSync(reserve);
    write(system, reserve, 'wx', released);
  } catch {
    // It is needed only where a start finds the disk full.
  }
}

type IsSilent = (modifiedMs: number) => boolean;

function silentByTime({ clock }: System): IsSilent {
  return (modifiedMs) => clock.now() - modifiedMs > HEARTBEAT_LOST_MS;
}

function refuseIfAlive(system: System, directory: string, path: string, isSilent: IsSilent): void {
  const stat = system.disk.statSync(path);
  const holder = stat && readHolder(system, path);
  if (!holder) return;
  const canAsk = isOfOurNamespace(system, holder);
  const isGone = canAsk
    ? system.processes.identity(holder.pid) !== holder.identity
    : isSilent(stat.modifiedMs);
  if (isGone) return;
  const patience = canAsk ? '' : `; if it was killed, wait ${HEARTBEAT_LOST_MS / 1000} s`;
  const isElsewhere = !canAsk && holder.identity !== null;
  const where = isElsewhere ? ' of another container or machine' : '';
  throw new DirectoryLockError(
    'DIRECTORY_LOCKED',
    `${directory} is in use by the logflume ${holder.role} with process id ` +
      `${holder.pid}${where}: stop it first, or give this one another data_dir${patience}`,
    undefined,
    canAsk ? undefined : stat.modifiedMs,
  );
}

/** Whether the system can be asked if the holder lives: it would say no of what it cannot see. */
function isOfOurNamespace({ processes }: System, { identity, namespace }: Holder): boolean {
  const ours = processes.identity(processes.pid);
  if (identity === null || ours === undefined) return false;
  // Locks of older versions do not tell, and have no heartbeat.
  if (namespace === null) return true;
  return namespace === processes.namespace() && bootOf(identity) === bootOf(ours);
}

/** Each machine, and each of its starts, has a boot id of its own. */
function bootOf(identity: string): string {
  return identity.slice(0, identity.lastIndexOf(':'));
}

/**
 * undefined where the lock was released, has just been followed by another, or is torn: its
 * content was whole before it got its name, so torn means that the power went since.
 */
function readHolder(system: System, path: string): Holder | undefined {
  try {
    const holder = JSON.parse(system.disk.readFileSync(path).toString()) as Partial<Holder>;
    if (typeof holder.pid !== 'number') return undefined;
    const { pid, identity = null, role = 'process', namespace = null } = holder;
    return { pid, identity, role, namespace };
  } catch (error) {
    const gone = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (gone || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function hold(system: System, directory: string, number: number, content: Buffer): DirectoryLock {
  const path = lockPath(directory, number);
  const problem = `lock of ${directory}`;
  let heartbeat: Timer | undefined;
  let held = true;
  const beat = (): void => {
    heartbeat = system.clock.after(HEARTBEAT_MS, beat);
    try {
      write(system, path, 'r+', content);
      system.problems.clear(problem);
    } catch (error) {
      if (isFollowed(system, directory, number)) throw takenOver(directory);
      const text = `the lock of ${directory} cannot be renewed: is the folder still there?`;
      system.problems.raise(problem, text, { error });
    }
  };
  heartbeat = system.clock.after(HEARTBEAT_MS, beat);
  return {
    directory,
    release(): void {
      if (!held) return;
      held = false;
      heartbeat?.cancel();
      try {
        // In place, as it may be needed where no space is left.
        write(system, path, 'r+', released);
      } catch (error) {
        // Whoever stops because of an error must tell that one.
        const text = `the lock of ${directory} could not be given back: it ends with this process`;
        system.log.warn(text, { error });
      }
    },
  };
}

/** False where it cannot be known: a disk that fails for a moment ends nobody. */
function isFollowed(system: System, directory: string, number: number): boolean {
  try {
    return (lockNumbers(system, directory).at(-1) ?? 0) > number;
  } catch {
    return false;
  }
}

/**
 * A process that stood still for long (a paused container) may have been taken for dead. It must
 * not write beside its successor: nobody catches this, so it ends.
 */
function takenOver(directory: string): DirectoryLockError {
  return new DirectoryLockError(
    'DIRECTORY_LOCKED',
    `${directory} was taken over by another logflume while this one stood still: it ends here`,
  );
}

/** Not a holder: a lock like this is a released one. */
const released = Buffer.alloc(LOCK_BYTES, ' ');
