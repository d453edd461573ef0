import type { ChildProcess, System, Timer } from '../system/index.js';
import { asMessage, type FromRole, type ToRole } from './messages.js';
import type { RoleName } from './role-model.js';

const FIRST_BACKOFF_MS = 250;
const LONGEST_BACKOFF_MS = 10_000;
/** A role that ran this long was well; its next death starts the backoff anew. */
const WELL_AFTER_MS = 30_000;
/** What a role may take beyond its drain to close its files. */
const CLOSE_MS = 5_000;

/** What a role's process said when it was ready. */
export type Ready = Extract<FromRole, { type: 'ready' }>;

/** How a role is started. */
export interface RoleCommand {
  readonly name: RoleName;
  readonly script: string;
  /** Read at each start: the port of the first start is kept for the next ones. */
  args(): readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** What the supervisor of a role reports. */
export interface RoleEvents {
  onReady(name: RoleName, ready: Ready): void;
  /** It died and is started again after `delayMs`. */
  onDeath(name: RoleName, how: string, delayMs: number): void;
}

/**
 * Keeps one role running in a child process: restarts it with backoff when it dies, and sees a
 * drain through even where the child is killed in the middle of it.
 */
export class SupervisedRole {
  readonly name: RoleName;
  /** Deaths that nobody had asked for. */
  deaths = 0;
  /** The last status it sent. */
  status: unknown;
  readonly #system: Pick<System, 'clock' | 'processes'>;
  readonly #command: RoleCommand;
  readonly #events: RoleEvents;
  #child: ChildProcess | undefined;
  #restart: Timer | undefined;
  #backoffMs = FIRST_BACKOFF_MS;
  #startedMs = 0;
  #everReady = false;
  /** Set once a drain is asked for; until `deadlineMs` of the monotonic clock. */
  #drain: { deadlineMs: number; finish: (finished: boolean) => void } | undefined;
  #first: { resolve: (ready: Ready) => void; reject: (exit: RoleExit) => void } | undefined;

  constructor(
    system: Pick<System, 'clock' | 'processes'>,
    command: RoleCommand,
    events: RoleEvents,
  ) {
    this.name = command.name;
    this.#system = system;
    this.#command = command;
    this.#events = events;
  }

  /** Starts it; rejects with a `RoleExit` where the first child ends before it is ready. */
  start(): Promise<Ready> {
    return new Promise((resolve, reject) => {
      this.#first = { resolve, reject };
      this.#spawn();
    });
  }

  /** Asks for a new `status`. */
  askStatus(): void {
    this.#send({ type: 'status' });
  }

  /**
   * Lets it finish what is there and exit; false where it could not within `timeoutMs`. A child
   * that is killed meanwhile is started again: what it had to finish is still to be finished.
   */
  drain(timeoutMs: number): Promise<boolean> {
    const { clock } = this.#system;
    return new Promise((resolve) => {
      const late = clock.after(timeoutMs + CLOSE_MS, () => {
        this.kill();
        resolve(false);
      });
      this.#drain = {
        deadlineMs: clock.monotonic() + timeoutMs,
        finish: (finished) => {
          late.cancel();
          resolve(finished);
        },
      };
      if (!this.#everReady) {
        this.#child?.kill('SIGKILL');
        this.#drain.finish(true);
      } else if (this.#child) this.#sendDrain();
      else this.#spawn();
    });
  }

  /** Ends it at once. */
  kill(): void {
    this.#restart?.cancel();
    this.#drain ??= { deadlineMs: 0, finish: () => {} };
    this.#child?.kill('SIGKILL');
  }

  #spawn(): void {
    const { clock, processes } = this.#system;
    this.#restart?.cancel();
    this.#startedMs = clock.monotonic();
    const { script, environment } = this.#command;
    const child = processes.fork(script, this.#command.args(), environment);
    this.#child = child;
    child.onMessage((value) => this.#onMessage(asMessage<FromRole>(value)));
    child.onExit((exit) => {
      this.#child = undefined;
      this.#onExit(exit);
    });
  }

  #onMessage(message: FromRole | undefined): void {
    if (message?.type === 'status') this.status = message.status;
    if (message?.type !== 'ready') return;
    this.#everReady = true;
    this.#first?.resolve(message);
    this.#first = undefined;
    this.#events.onReady(this.name, message);
    if (this.#drain) this.#sendDrain();
  }

  #onExit({ code, signal }: { code: number | null; signal: string | null }): void {
    if (this.#first) {
      this.#first.reject(new RoleExit(this.name, code ?? 1));
      this.#first = undefined;
      return;
    }
    const { clock } = this.#system;
    const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
    if (this.#drain) {
      const again = signal !== null && clock.monotonic() < this.#drain.deadlineMs;
      if (again) {
        this.#countDeath(how, 0);
        this.#spawn();
      } else {
        this.#drain.finish(code === 0);
      }
      return;
    }
    if (clock.monotonic() - this.#startedMs > WELL_AFTER_MS) this.#backoffMs = FIRST_BACKOFF_MS;
    this.#countDeath(how, this.#backoffMs);
    this.#restart = clock.after(this.#backoffMs, () => this.#spawn());
    this.#backoffMs = Math.min(this.#backoffMs * 2, LONGEST_BACKOFF_MS);
  }

  #countDeath(how: string, delayMs: number): void {
    this.deaths++;
    this.#events.onDeath(this.name, how, delayMs);
  }

  #sendDrain(): void {
    const left = (this.#drain?.deadlineMs ?? 0) - this.#system.clock.monotonic();
    this.#send({ type: 'drain', timeoutMs: Math.max(left, 0) });
  }

  #send(message: ToRole): void {
    this.#child?.send(message);
  }
}

/** A role's process ended before it was ready; it has said why on stderr. */
export class RoleExit extends Error {
  readonly code = 'ROLE_EXIT';
  readonly exitCode: number;

  constructor(name: RoleName, exitCode: number) {
    super(`the ${name} could not start`);
    this.exitCode = exitCode;
  }
}
