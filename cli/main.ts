#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { detach } from '../system/index.js';
import { createRealSystem, type LogLevel } from '../system/real/index.js';
import type { Context } from './context.js';
import { runProgram, tell } from './program.js';
import { Terminal } from './terminal.js';

const LOG_LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error', 'silent'];

function createContext(): Context {
  const wanted = process.env.LOGFLUME_LOG ?? 'info';
  const logLevel = (LOG_LEVELS.includes(wanted) ? wanted : 'info') as LogLevel;
  return {
    system: createRealSystem({ logLevel }),
    terminal: new Terminal(process.stdout, process.stderr, process.env),
    environment: process.env,
    script: fileURLToPath(import.meta.url),
  };
}

async function main(context: Context): Promise<void> {
  const exitCode = await runProgram(context, process.argv.slice(2));
  await context.terminal.flush();
  // Idle connections of a client must not keep a command alive that is done.
  process.exit(exitCode);
}

const context = createContext();
const level = process.env.LOGFLUME_LOG;
if (level !== undefined && !LOG_LEVELS.includes(level)) {
  const known = LOG_LEVELS.join(', ');
  context.terminal.say(`logflume: LOGFLUME_LOG=${level} is no level (${known}); taken as info`);
}
const fail = (error: unknown) => process.exit(tell(context, error));
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
detach(main(context), fail);
