import { join } from 'node:path';
import type { Timer } from './clock.js';
import type { System } from './system.js';

/** How often a holder that cannot be identified shows that it lives, and when it counts as gone. */
const HEARTBEAT_MS = 2_000;
const HEARTBEAT_LOST_MS = 10_000;

const LOCK_NAME = /^\.lock\.(\d{10})$/;

/** A folder cannot be locked; the message says what to do about it. */
export class DirectoryLockError extends Error {
  override readonly name = 'DirectoryLockError';

  constructor(
    /** `DIRECTORY_LOCKED`: another process uses it. `DIRECTORY_UNUSABLE`: it cannot be written. */
    readonly code: 'DIRECTORY_LOCKED' | 'DIRECTORY_UNUSABLE',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The right to use a folder, held by this process until it ends or calls `release`. */
export interface DirectoryLock {
  readonly directory: string;
  /** Gives the folder free. Idempotent. */
  release(): void;
}

/** What a lock file says about its holder. */
interface Holder {
  readonly role: string;
  readonly pid: number;
  /** Start time and boot id; null where the system does not tell them. */
  readonly identity: string | null;
}

/**
 * Makes this process the only user of `directory` (created where missing).
 *
 * Lock files are numbered and made by `link`, which is create-if-absent with whole content. The
 * highest number is the lock; it is never deleted, only followed by a higher one, so two processes
 * that both find a dead holder cannot both become the next: one of them fails to create its number
 * or sees a higher one beside it.
 *
 * @param role names the user in the message that another process will get, such as `agent`.
 * @throws DirectoryLockError
 */
export function lockDirectory(system: System, directory: string, role: string): DirectoryLock {
  try {
    system.disk.makeDirectorySync(directory);
    for (;;) {
      const latest = lockNumbers(system, directory).at(-1) ?? 0;
      if (latest > 0) refuseIfAlive(system, directory, lockPath(directory, latest));
      const path = lockPath(directory, latest + 1);
      const content = describeHolder(system, role);
      if (!createLock(system, path, content)) continue;
      const numbers = lockNumbers(system, directory);
      if (numbers.at(-1) !== latest + 1) {
        system.disk.removeSync(path);
        continue;
      }
      for (const older of numbers.slice(0, -1)) system.disk.removeSync(lockPath(directory, older));
      return hold(system, directory, path, content);
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
  if (latest !== undefined) refuseIfAlive(system, directory, lockPath(directory, latest));
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

function describeHolder(system: System, role: string): string {
  const { pid } = system.processes;
  const holder: Holder = { role, pid, identity: system.processes.identity(pid) ?? null };
  return `${JSON.stringify(holder)}\n`;
}

/** False where someone else created this number first. */
function createLock(system: System, path: string, content: string): boolean {
  const temporary = `${path}.${system.random.bytes(8).toString('hex')}`;
  const file = system.disk.openSync(temporary, 'wx');
  try {
    file.writeSync([Buffer.from(content)], 0);
    system.disk.linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    file.closeSync();
    system.disk.removeSync(temporary);
  }
}

function refuseIfAlive(system: System, directory: string, path: string): void {
  const stat = system.disk.statSync(path);
  const holder = stat && readHolder(system, path);
  if (!holder) return;
  const advice = 'stop it first, or give this one another data_dir';
  if (holder.identity !== null && system.processes.identity(system.processes.pid) !== undefined) {
    if (system.processes.identity(holder.pid) !== holder.identity) return;
  } else if (system.clock.now() - stat.modifiedMs > HEARTBEAT_LOST_MS) {
    return;
  }
  const patience =
    holder.identity === null ? `; if it was killed, wait ${HEARTBEAT_LOST_MS / 1000} s` : '';
  throw new DirectoryLockError(
    'DIRECTORY_LOCKED',
    `${directory} is in use by the logflume ${holder.role} with process id ${holder.pid}: ` +
      `${advice}${patience}`,
  );
}

/**
 * undefined where the lock was released, has just been followed by another, or is torn: its
 * content was whole before it got its name, so torn means that the power went since.
 */
function readHolder(system: System, path: string): Holder | undefined {
  try {
    const holder = JSON.parse(system.disk.readFileSync(path).toString()) as Partial<Holder>;
    if (typeof holder.pid !== 'number') return undefined;
    const { pid, identity = null, role = 'process' } = holder;
    return { pid, identity, role };
  } catch (error) {
    const gone = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (gone || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function hold(system: System, directory: string, path: string, content: string): DirectoryLock {
  let heartbeat: Timer | undefined;
  let held = true;
  const beat = (): void => {
    try {
      writeInPlace(system, path, content);
    } catch (error) {
      system.log.warn(`cannot renew the lock of ${directory}`, { error });
    }
    heartbeat = system.clock.after(HEARTBEAT_MS, beat);
  };
  if (system.processes.identity(system.processes.pid) === undefined) beat();
  return {
    directory,
    release(): void {
      if (!held) return;
      held = false;
      heartbeat?.cancel();
      writeInPlace(system, path, '');
    },
  };
}

/** An empty lock is a released one; the same content again only renews its time. */
function writeInPlace(system: System, path: string, content: string): void {
  const file = system.disk.openSync(path, 'r+');
  try {
    if (content === '') file.truncateSync(0);
    else file.writeSync([Buffer.from(content)], 0);
  } finally {
    file.closeSync();
  }
}
