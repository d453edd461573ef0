import type { System } from '../system/index.js';
import type { Terminal } from './terminal.js';

/** What every command is handed. */
export interface Context {
  readonly system: System;
  readonly terminal: Terminal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The file of the program itself, which roles as children run. */
  readonly script: string;
}

/** Adds `action` to a command: what it resolves to becomes the exit code. */
export type Runner = <Args extends unknown[]>(
  action: (...args: Args) => Promise<number>,
) => (...args: Args) => Promise<void>;
