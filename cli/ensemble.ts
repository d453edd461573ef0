import { formatAddress } from '../config/index.js';
import type { Context } from './context.js';
import { type RoleName, roleNames } from './role-model.js';
import { brokerAddressOf } from './sections.js';
import { type Ready, type RoleCommand, SupervisedRole } from './supervised-role.js';
import { telemetryPort } from './telemetry-ports.js';
import type { WholeConfig } from './whole-config.js';

/** What an ensemble is made of. */
export interface EnsembleOptions {
  readonly file: string;
  readonly script: string;
  readonly config: WholeConfig;
  readonly document: Readonly<Record<string, unknown>>;
  /** Extra environment of the children. */
  readonly environment: Readonly<Record<string, string>>;
  /** Handed to the first process of the sinks, not to those that follow a death: nobody asked. */
  readonly acceptGap?: boolean | undefined;
  onDeath(name: RoleName, how: string): void;
}

/**
 * The roles of one file, each in a child process: started broker first, drained agent first, and
 * handed the ports that were free.
 */
export class Ensemble {
  /** Where clients reach the broker of this file, once it has started. */
  brokerAddress: string | undefined;
  readonly #context: Context;
  readonly #options: EnsembleOptions;
  readonly #roles = new Map<RoleName, SupervisedRole>();
  /** The real addresses of the first start: a restart must come up on the same ones. */
  readonly #ready = new Map<RoleName, Ready>();

  constructor(context: Context, options: EnsembleOptions) {
    this.#context = context;
    this.#options = options;
    for (const name of roleNames) {
      if (options.config[name] !== undefined) this.#roles.set(name, this.#supervise(name));
    }
  }

  role(name: RoleName): SupervisedRole | undefined {
    return this.#roles.get(name);
  }

  /** Starts all roles; rejects with the `RoleExit` of one that could not. */
  async start(): Promise<void> {
    const ready = await this.#roles.get('broker')?.start();
    this.brokerAddress = ready?.address;
    const others = [this.#roles.get('agent'), this.#roles.get('sinks')];
    await Promise.all(others.map((role) => role?.start()));
  }

  /** Asks all roles for their counts; they arrive a moment later. */
  askStatus(): void {
    for (const role of this.#roles.values()) role.askStatus();
  }

  /** Lets one role finish and exit; true where it did in time, or where there is none. */
  drain(name: RoleName): Promise<boolean> {
    const role = this.#roles.get(name);
    return role ? role.drain(this.#options.config.drain_timeout) : Promise.resolve(true);
  }

  /** Ends every child at once. */
  kill(): void {
    for (const role of this.#roles.values()) role.kill();
  }

  #supervise(name: RoleName): SupervisedRole {
    const { script, environment } = this.#options;
    const command: RoleCommand = { name, script, environment, args: () => this.#argsOf(name) };
    return new SupervisedRole(this.#context.system, command, {
      onReady: (_, ready) => this.#onReady(name, ready),
      onDeath: (_, how) => this.#options.onDeath(name, how),
    });
  }

  #onReady(name: RoleName, ready: Ready): void {
    if (this.#ready.has(name)) return;
    this.#ready.set(name, ready);
    const { terminal } = this.#context;
    const where = ready.address === undefined ? '' : ` on ${ready.address}`;
    const telemetry = ready.telemetry === undefined ? '' : `, http://${ready.telemetry}/metrics`;
    terminal.say(terminal.paint('dim', `${name} is running${where}${telemetry}`));
  }

  #argsOf(name: RoleName): readonly string[] {
    const args: string[] = [name, '--config', this.#options.file];
    const own = this.#ready.get(name);
    const telemetry = own?.telemetry ?? this.#telemetryOf(name);
    if (telemetry !== undefined) args.push('--telemetry', telemetry);
    if (name === 'sinks' && own === undefined && this.#options.acceptGap === true) {
      args.push('--accept-gap');
    }
    if (name === 'broker') {
      if (own?.listen !== undefined) args.push('--listen', own.listen);
    } else if (this.brokerAddress !== undefined && this.#usesOwnBroker()) {
      args.push('--bootstrap', this.brokerAddress);
    }
    return args;
  }

  #telemetryOf(name: RoleName): string | undefined {
    const listen = this.#options.config.telemetry?.listen;
    if (!listen) return undefined;
    return formatAddress(telemetryPort(listen, name));
  }

  /** Whether the `kafka:` section was filled in from the broker of the same file. */
  #usesOwnBroker(): boolean {
    const kafka = this.#options.document.kafka as { bootstrap?: readonly unknown[] } | undefined;
    if (kafka === undefined) return true;
    const own = brokerAddressOf(this.#options.document);
    return own !== undefined && kafka.bootstrap?.length === 1 && kafka.bootstrap[0] === own;
  }
}
