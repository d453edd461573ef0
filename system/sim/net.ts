import type { Connection, Listener, Net } from '../net.js';
import type { Life } from './life.js';
import { SimConnection } from './net-connection.js';
import type { SeededRandom } from './random.js';
import type { Scheduler } from './scheduler.js';

type Address = { readonly host: string; readonly port: number };

interface Bound {
  readonly life: Life;
  readonly onConnection: (connection: Connection) => void;
}

const firstEphemeralPort = 40_000;
/** Where a server is that listens on every address, or is called by name on its own machine. */
const anyHosts: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** The simulated network between all processes. Links are named by the processes at their ends. */
export class SimNetwork {
  readonly #listeners = new Map<string, Bound>();
  readonly #connections = new Set<SimConnection>();
  readonly #cutLinks = new Set<string>();
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  #nextPort = firstEphemeralPort;
  /** One way, milliseconds: each delivery takes a random time up to this. */
  maxLatencyMs = 1;
  /** The probability that a delivery breaks its connection instead (ECONNRESET at both ends). */
  dropProbability = 0;

  constructor(scheduler: Scheduler, random: SeededRandom) {
    this.#scheduler = scheduler;
    this.#random = random;
  }

  /** Cuts the link between two processes: nothing arrives, nothing is refused, until `heal`. */
  partition(a: string, b: string): void {
    this.#cutLinks.add(linkName(a, b));
  }

  /** Restores one link, or all. What was under way arrives late, as TCP repeats it. */
  heal(a?: string, b?: string): void {
    if (a === undefined || b === undefined) this.#cutLinks.clear();
    else this.#cutLinks.delete(linkName(a, b));
    for (const connection of this.#connections) connection.flow();
  }

  /** Breaks all connections of a process, or between two (ECONNRESET at both ends). */
  reset(a: string, b?: string): void {
    for (const connection of [...this.#connections]) {
      if (connection.joins(a, b)) connection.break();
    }
  }

  /** The machine of this process lost power: its peers hear nothing more from it. */
  silence(processName: string): void {
    for (const connection of [...this.#connections]) {
      if (connection.joins(processName)) connection.silence();
    }
  }

  isCut(a: string, b: string): boolean {
    return this.#cutLinks.has(linkName(a, b));
  }

  /** The calls of one process on the machine with address `host`. */
  netOf(life: Life, host: string): Net {
    return {
      listen: async (address, onConnection) =>
        this.#listen(life, { ...address, host: localHost(address.host, host) }, onConnection),
      connect: (address) =>
        this.#connect(life, { ...address, host: localHost(address.host, host) }),
    };
  }

  #listen(life: Life, address: Address, onConnection: Bound['onConnection']): Promise<Listener> {
    if (!life.alive) return new Promise(() => {});
    life.effect(`listen ${keyOf(address)}`);
    const bound = { host: address.host, port: address.port || this.#nextPort++ };
    const key = keyOf(bound);
    if (this.#listeners.has(key)) {
      return Promise.reject(netError('EADDRINUSE', 'listen', bound, 'address already in use'));
    }
    const entry = { life, onConnection };
    const close = () => {
      if (this.#listeners.get(key) === entry) this.#listeners.delete(key);
    };
    this.#listeners.set(key, entry);
    life.onEnd(close);
    return Promise.resolve({ ...bound, close: async () => close() });
  }

  #connect(life: Life, address: Address & { timeoutMs: number }): Promise<Connection> {
    if (!life.alive) return new Promise(() => {});
    life.effect(`connect ${keyOf(address)}`);
    return new Promise((resolve, reject) => {
      const timer = this.#scheduler.after(address.timeoutMs, life, () => {
        reject(netError('ETIMEDOUT', 'connect', address, `no answer in ${address.timeoutMs} ms`));
        attempt.cancel();
      });
      const attempt = this.#scheduler.after(this.#random.float() * this.maxLatencyMs, life, () => {
        const bound = this.#listeners.get(keyOf(address));
        if (bound && this.isCut(life.name, bound.life.name)) return;
        timer.cancel();
        if (bound) resolve(this.#join(life, bound, address));
        else reject(netError('ECONNREFUSED', 'connect', address, 'connection refused'));
      });
    });
  }

  #join(life: Life, bound: Bound, address: Address): Connection {
    const near = { life, remoteAddress: keyOf(address) };
    const far = { life: bound.life, remoteAddress: `127.0.0.1:${this.#nextPort++}` };
    const [client, server] = SimConnection.pair(near, far, {
      scheduler: this.#scheduler,
      random: this.#random,
      network: this,
    });
    for (const end of [client, server]) {
      this.#connections.add(end);
      end.onGone = () => this.#connections.delete(end);
    }
    this.#scheduler.after(0, bound.life, () => bound.onConnection(server));
    return client;
  }
}

function netError(code: string, call: string, address: Address, meaning: string): Error {
  const message = `${call} ${code} ${keyOf(address)}: ${meaning}`;
  return Object.assign(new Error(message), { code, syscall: call, ...address });
}

function localHost(asked: string, own: string): string {
  return anyHosts.has(asked) || asked === 'localhost' || asked === '127.0.0.1' ? own : asked;
}

function keyOf({ host, port }: Address): string {
  return `${host}:${port}`;
}

function linkName(a: string, b: string): string {
  return a < b ? `${a}|${b}` : `${b}|${a}`;
}
