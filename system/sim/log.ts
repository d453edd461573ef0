import type { Log } from '../log.js';

/** One captured line. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** How many lines are kept, the last ones: each may hold on to an error, and what threw it. */
const keptLines = 10_000;

/** A log that keeps its lines. */
export function createSimLog(lines: LogLine[], bound: Readonly<Record<string, unknown>> = {}): Log {
  const at = (level: LogLine['level']) => (message: string, fields?: Record<string, unknown>) => {
    lines.push({ level, message, fields: { ...bound, ...fields } });
    if (lines.length >= 2 * keptLines) lines.splice(0, lines.length - keptLines);
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => createSimLog(lines, { ...bound, ...fields }),
  };
}
