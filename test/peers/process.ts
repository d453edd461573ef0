import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { detach } from '../../system/index.js';

/** CPU seconds and peak memory of a process, by the operating system's accounting. */
export interface Usage {
  readonly cpuSeconds: number;
  /** The part of them that the kernel spent on the process's behalf. */
  readonly kernelSeconds: number;
  readonly peakRssBytes: number;
}

const ticksPerSecond = 100;

/** What a live process (all its threads) has used so far; undefined where it is gone. */
function usageOf(pid: number): Usage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const peak = /VmHWM:\s+(\d+) kB/.exec(status);
    if (peak === null) return undefined;
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
      kernelSeconds: Number(fields[12]) / ticksPerSecond,
      peakRssBytes: Number(peak[1]) * 1024,
    };
  } catch {
    return undefined;
  }
}

/** Resident memory of a live process now, bytes. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024;
}

/** A program under test or beside it: its output, its end, its usage. */
export class Program {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  /** The last usage seen; complete once the process has exited. */
  usage: Usage = { cpuSeconds: 0, kernelSeconds: 0, peakRssBytes: 0 };
  readonly exited: Promise<number | null>;
  #watchers: (() => void)[] = [];

  constructor(
    readonly command: string,
    args: readonly string[],
    options: {
      cwd?: string;
      env?: NodeJS.ProcessEnv;
      input?: string | Buffer;
      keepOutput?: boolean;
      sampleUsage?: boolean;
    } = {},
  ) {
    const keep = options.keepOutput ?? true;
    this.child = spawn(command, [...args], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: [options.input === undefined ? 'ignore' : 'pipe', keep ? 'pipe' : 'ignore', 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#wake();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-1_000_000);
      this.#wake();
    });
    if (options.input !== undefined) this.child.stdin?.end(options.input);
    const sampler = options.sampleUsage ? setInterval(() => this.sample(), 20) : undefined;
    this.exited = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code) => {
        clearInterval(sampler);
        this.#wake();
        resolve(code);
      });
    });
    detach(this.exited, () => {});
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.command} did not start`);
    return this.child.pid;
  }

  sample(): Usage {
    this.usage = usageOf(this.pid) ?? this.usage;
    return this.usage;
  }

  #wake(): void {
    for (const watcher of this.#watchers.splice(0)) watcher();
  }

  /** Resolves with the match once stdout or stderr has it; rejects at exit or after the time. */
  async until(pattern: RegExp, timeoutMs = 30_000): Promise<RegExpExecArray> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
      if (match !== null) return match;
      const ended = this.child.exitCode !== null || this.child.signalCode !== null;
      if (ended || Date.now() > deadline) {
        const tail = `${this.stdout.slice(-2000)}\n${this.stderr.slice(-2000)}`;
        throw new Error(
          `${this.command}: no ${pattern} ${ended ? 'before it ended' : 'in time'}: ${tail}`,
        );
      }
      await new Promise<void>((resolve) => {
        this.#watchers.push(resolve);
        setTimeout(resolve, 100);
      });
    }
  }

  /** Sends the signal and resolves with the exit code; SIGKILL after ten more seconds. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', patienceMs = 30_000): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.exited;
    this.sample();
    this.child.kill(signal);
    const force = setTimeout(() => this.child.kill('SIGKILL'), patienceMs);
    const code = await this.exited;
    clearTimeout(force);
    return code;
  }
}

/** Runs a program to its end; rejects with its words where the exit code is not 0. */
export async function run(
  command: string,
  args: readonly string[],
  options: { input?: string | Buffer; cwd?: string; timeoutMs?: number } = {},
): Promise<{ stdout: string; stderr: string }> {
  const program = new Program(command, args, options);
  const limit = setTimeout(() => program.child.kill('SIGKILL'), options.timeoutMs ?? 120_000);
  const code = await program.exited;
  clearTimeout(limit);
  if (code !== 0) {
    throw new Error(
      `${command} ${args.join(' ')}: exit ${code}\n${program.stdout}\n${program.stderr}`,
    );
  }
  return { stdout: program.stdout, stderr: program.stderr };
}

/** Whether a program is on the PATH. */
export function hasProgram(name: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/**
 * True where the tool is there. Where it is missing: an error in CI, and elsewhere false
 * after saying which suite is skipped and why.
 */
export function present(tool: string, found: boolean): boolean {
  if (found) return true;
  if (process.env.CI) throw new Error(`${tool} is missing, and CI must have it`);
  console.warn(`SKIPPED: ${tool} is not installed, so what is tested with it is not tested`);
  return false;
}
