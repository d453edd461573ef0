import { createRequire } from 'node:module';
import { Command, CommanderError, Option } from './commander.js';
import type { Context, Runner } from './context.js';
import { ExitCode, exitCodeOf, words } from './failure.js';
import { outputOption, timeoutOption } from './options.js';
import { addClientCommands } from './program-clients.js';
import { type RoleName, roleNames } from './role-model.js';

const ROLE_WORDS: Readonly<Record<RoleName, string>> = {
  broker: 'run the embedded broker in this process',
  agent: 'run the agent (files, mails) in this process',
  sinks: 'run the sinks (archives, HTTP) in this process',
};

const configOption = () =>
  new Option('-c, --config <file>', 'the YAML file').makeOptionMandatory(true);

const acceptGapOption = () =>
  new Option('--accept-gap', 'give up records that retention removed before they arrived');

function addRoles(program: Command, context: Context, run: Runner): void {
  program
    .command('up')
    .description('run every role that the file names, each in a process of its own')
    .addOption(configOption())
    .option('--for <duration>', 'stop by itself after this time, such as 20s')
    .addOption(acceptGapOption())
    .action(run(async (options) => (await import('./up.js')).up(context, options)));
  for (const name of roleNames) {
    const command = program
      .command(name)
      .description(ROLE_WORDS[name])
      .addOption(configOption())
      .option('--telemetry <address>', 'serve /metrics and /health here instead');
    if (name === 'broker') command.option('--listen <address>', 'listen here instead');
    else command.option('-b, --bootstrap <addresses>', 'the brokers, instead of the file’s');
    if (name === 'sinks') command.addOption(acceptGapOption());
    command.action(
      run(async (options) => (await import('./role.js')).runRole(context, name, options)),
    );
  }
}

function addConfig(program: Command, context: Context, run: Runner): void {
  const config = program.command('config').description('check, show and describe a YAML file');
  config
    .command('check')
    .description('say what is wrong with a file, all at once')
    .addOption(configOption())
    .addOption(outputOption())
    .action(run(async (options) => (await import('./config.js')).check(context, options)));
  config
    .command('show')
    .description('print the file with all defaults; secrets are masked')
    .addOption(configOption())
    .addOption(outputOption())
    .action(run(async (options) => (await import('./config.js')).show(context, options)));
  config
    .command('test')
    .description('check a file against this machine: folders, ports, brokers; starts nothing')
    .addOption(configOption())
    .addOption(timeoutOption('5s'))
    .addOption(outputOption())
    .action(run(async (options) => (await import('./config-test.js')).test(context, options)));
  config
    .command('schema')
    .description('print the JSON Schema of the file, for editors')
    .addOption(new Option('-o, --output <format>').choices(['json']).default('json'))
    .option('-c, --config <file>', 'with what the plugins of this file add')
    .option('--docs <directory>', 'write the reference pages there instead')
    .action(run(async (options) => (await import('./config.js')).schema(context, options)));
}

/** The whole command line; `run` makes an action of what resolves to an exit code. */
export function createProgram(context: Context, run: Runner): Command {
  const { version } = createRequire(import.meta.url)('logflume/package.json') as {
    version: string;
  };
  const program = new Command('logflume')
    .description('Log aggregation over Kafka’s wire protocol')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeErr: (text) => context.terminal.say(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error: /, 'logflume: ')),
    });
  addRoles(program, context, run);
  addConfig(program, context, run);
  addClientCommands(program, context, run);
  return program;
}

/**
 * Runs the command that the arguments name; resolves to its exit code. Whatever goes wrong is told
 * in a sentence on stderr; nobody sees a stack trace.
 */
export async function runProgram(context: Context, args: readonly string[]): Promise<number> {
  let exitCode: number = ExitCode.done;
  const program = createProgram(context, (action) => async (...given) => {
    exitCode = await action(...given);
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has said it already; help and version are no failures.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : ExitCode.usage;
    return tell(context, error);
  }
}

/** Tells what went wrong; returns the exit code for it. */
export function tell({ terminal }: Context, error: unknown): number {
  for (const line of words(error).split('\n')) terminal.say(`logflume: ${line}`);
  return exitCodeOf(error);
}
