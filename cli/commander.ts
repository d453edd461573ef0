import { createRequire } from 'node:module';
import type * as commander from 'commander';

/** Required, as an import of CommonJS would cost a start twice the time. */
export const { Argument, Command, CommanderError, InvalidArgumentError, Option } = createRequire(
  import.meta.url,
)('commander') as typeof commander;

export type Command = commander.Command;
