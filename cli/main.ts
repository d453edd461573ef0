#!/usr/bin/env node
import { createRealSystem, type LogLevel } from '../system/real/index.js';
import type { Context } from './context.js';
import { exitCodeOf, words } from './failure.js';
import { runProgram } from './program.js';
import { Terminal } from './terminal.js';

const LOG_LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error', 'silent'];

function createContext(): Context {
  const wanted = process.env.LOGFLUME_LOG ?? 'info';
  const logLevel = (LOG_LEVELS.includes(wanted) ? wanted : 'info') as LogLevel;
  return {
    system: createRealSystem({ logLevel }),
    terminal: new Terminal(process.stdout, process.stderr, process.env),
    environment: process.env,
  };
}

/** No one sees a stack trace: whatever goes wrong is told in a sentence. */
function fail(context: Context, error: unknown): never {
  context.terminal.say(`logflume: ${words(error)}`);
  process.exit(exitCodeOf(error));
}

async function main(): Promise<void> {
  const context = createContext();
  process.on('uncaughtException', (error) => fail(context, error));
  process.on('unhandledRejection', (error) => fail(context, error));
  try {
    const exitCode = await runProgram(context, process.argv.slice(2));
    await context.terminal.flush();
    // Idle connections of a client must not keep a command alive that is done.
    process.exit(exitCode);
  } catch (error) {
    fail(context, error);
  }
}

void main();
