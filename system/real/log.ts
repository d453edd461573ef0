import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import type Pino from 'pino';
import type { Log } from '../log.js';
import { printable } from '../path-bytes.js';

/** What is logged: this level and all above. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';
/** `auto`: plain lines on a terminal, JSON otherwise. */
export type LogFormat = 'auto' | 'text' | 'json';

type Fields = Readonly<Record<string, unknown>>;
type Level = Exclude<LogLevel, 'silent'>;
/** Writes one line to stderr. */
type Sink = (level: Level, message: string, fields: Fields) => void;

const ranks: Readonly<Record<LogLevel, number>> = {
  debug: 0,
  info: 1,
  warn: 2,
  error: 3,
  silent: 4,
};
const standardError = 2;

/** The log on stderr. Lines are written at once, so that none is lost when the process dies. */
export function createLog(level: LogLevel, format: LogFormat): Log {
  const asText = format === 'text' || (format === 'auto' && process.stderr.isTTY === true);
  return bindLog(ranks[level], asText ? writeText : createJsonSink(level), {});
}

function bindLog(lowestRank: number, sink: Sink, bound: Fields): Log {
  const at = (level: Level) => (message: string, fields?: Fields) => {
    if (ranks[level] < lowestRank) return;
    sink(level, printable(message), plain(fields ? { ...bound, ...fields } : bound));
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => bindLog(lowestRank, sink, { ...bound, ...fields }),
  };
}

function createJsonSink(level: LogLevel): Sink {
  let logger: Pino.Logger | undefined;
  return (lineLevel, message, fields) => {
    logger ??= createPino(level);
    logger[lineLevel](fields, message);
  };
}

function createPino(level: LogLevel): Pino.Logger {
  // Loaded with the first line: importing it takes a good part of the broker's start.
  const pino = createRequire(import.meta.url)('pino') as typeof Pino.default;
  const destination = pino.destination({ dest: standardError, sync: true });
  // Nobody reads the log any more: that must not end the process.
  destination.on('error', () => {});
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}

function writeText(level: Level, message: string, fields: Fields): void {
  const time = new Date().toISOString().slice(11, 23);
  let line = `${time} ${level.padEnd(5)} ${message}`;
  for (const [name, value] of Object.entries(fields)) {
    line += ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`;
  }
  try {
    writeSync(standardError, `${line}\n`);
  } catch {
    // A terminal that has gone must not end the process.
  }
}

/**
 * Errors become what they say, with their code and causes: they have no enumerable fields. Bytes of
 * paths that are no UTF-8 become `\xff`.
 */
function plain(fields: Fields): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    const said = value instanceof Error ? describe(value) : value;
    result[name] = typeof said === 'string' ? printable(said) : said;
  }
  return result;
}

function describe(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : '';
  const text = error.message.startsWith(code) ? error.message : code + error.message;
  return error.cause instanceof Error ? `${text} (${describe(error.cause)})` : text;
}
