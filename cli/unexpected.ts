import type { System } from '../system/index.js';
import type { Context } from './context.js';
import { ExitCode } from './failure.js';

const PROBLEM = 'unexpected failure';

/**
 * What a role does with failures that no code of ours expects. Both are told with their stack.
 *
 * - A rejection that nobody awaited: one piece of work has ended, and whoever began it did not
 *   look. The role goes on, for the others count on it; a problem says that a part may stand still.
 * - An exception that nobody caught: something was left half done, in memory that all share. The
 *   process ends with 1. What it had acknowledged is in files, and whoever runs it starts it anew.
 *
 * Takes the place of what a command does, which ends with a sentence.
 */
export function tellUnexpected({ system }: Context, role: string): void {
  process.removeAllListeners('unhandledRejection');
  process.removeAllListeners('uncaughtException');
  process.on('unhandledRejection', (error) => onLostRejection(system, role, error));
  process.on('uncaughtException', (error) => {
    system.log.error(`${role}: an exception that nobody caught; the process ends`, { error });
    process.exit(ExitCode.failed);
  });
}

/** The rejection alone, for who has no process to end. */
function onLostRejection(
  { log, problems, metrics }: Pick<System, 'log' | 'problems' | 'metrics'>,
  role: string,
  error: unknown,
): void {
  const help = 'Failures of work that nobody awaited; each is told in the log with its stack.';
  metrics.counter('logflume_unexpected_failures_total', help, {}).inc(1);
  log.error(`${role}: a failure that nobody awaited; the role goes on`, { error });
  const reason = error instanceof Error ? error.message : String(error);
  const text = `work failed that nobody awaited (${reason}): a part of the ${role} may stand still`;
  problems.raise(PROBLEM, `${text}; restart it, and report what the log says`);
}
