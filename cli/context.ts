import type { System } from '../system/index.js';
import type { Terminal } from './terminal.js';

/** What every command is handed. */
export interface Context {
  readonly system: System;
  readonly terminal: Terminal;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A command's work; resolves to the exit code. */
export type Command<Options> = (context: Context, options: Options) => Promise<number>;
