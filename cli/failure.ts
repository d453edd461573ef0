/** The exit codes of every command. */
export const ExitCode = {
  done: 0,
  /** Failed while running: port in use, locked folder, unreachable broker, unknown topic. */
  failed: 1,
  /** Wrong usage of the command line. */
  usage: 2,
  /** Unusable configuration (EX_CONFIG of sysexits.h). */
  config: 78,
} as const;

/** The command line was used wrongly. */
export class UsageError extends Error {
  readonly code = 'USAGE';
}

/** A command could not do what it was asked to; the message is all a person needs. */
export class CommandError extends Error {
  readonly code = 'COMMAND';
}

/** The exit code that stands for an error. */
export function exitCodeOf(error: unknown): number {
  // By its code: a command that reads no YAML should not load what does.
  if (error instanceof Error && 'code' in error && error.code === 'CONFIG') return ExitCode.config;
  return error instanceof UsageError ? ExitCode.usage : ExitCode.failed;
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is already in use by another process',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'no such file or directory',
  ENOTDIR: 'a part of the path is a file, not a directory',
  EEXIST: 'a file stands where a directory should be',
  EISDIR: 'it is a directory',
  ENOSPC: 'no space is left on the disk',
  EROFS: 'the disk is read-only',
  EMFILE: 'too many open files; raise the limit with ulimit -n',
  ECONNREFUSED: 'nothing is listening there',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name cannot be resolved at the moment',
  ETIMEDOUT: 'no answer in time',
};

/** One plain sentence for an error: never a stack trace, never a bare errno. */
export function words(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, syscall, path, address, port } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  const reason = REASONS[code ?? ''];
  if (reason === undefined || syscall === undefined) return error.message || error.name;
  if (address !== undefined) return `${syscall} ${address}:${port}: ${reason}`;
  return path === undefined ? `${syscall}: ${reason}` : `${path}: ${reason} (${syscall})`;
}
