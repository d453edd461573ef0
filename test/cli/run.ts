import type { Context } from '../../cli/context.js';
import { runProgram } from '../../cli/program.js';
import type { Terminal } from '../../cli/terminal.js';
import type { System } from '../../system/index.js';
import { createRealSystem } from '../../system/real/index.js';

/** What a command said and printed, and its exit code. */
export interface Ran {
  readonly code: number;
  /** Lines on stderr. */
  readonly said: readonly string[];
  /** Lines on stderr, together. */
  readonly words: string;
  /** All of stdout. */
  readonly data: string;
}

/** How a command is run other than as it is. */
export interface RunOptions {
  readonly system?: Partial<System>;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs a command line in this process, nobody looking at its terminal. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const said: string[] = [];
  const data: string[] = [];
  const terminal = {
    interactive: false,
    data: async (chunk: string | Uint8Array) => void data.push(Buffer.from(chunk).toString()),
    say: (line: string) => void said.push(line),
    status: () => {},
    paint: (_: string, text: string) => text,
  } as unknown as Terminal;
  const context: Context = {
    system: { ...createRealSystem({ logLevel: 'silent' }), ...options.system },
    terminal,
    environment: options.environment ?? {},
    script: 'main.js',
  };
  const code = await runProgram(context, args);
  return { code, said, words: said.join('\n'), data: data.join('') };
}
