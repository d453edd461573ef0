import type { System } from '../system/index.js';
import { type BackoffSettings, backoffMs } from './backoff.js';
import type { BrokerAddress } from './bootstrap.js';
import { Connection, type ConnectionOptions } from './connection/index.js';
import { ClosedError, type ConnectError } from './errors.js';

/**
 * What a connection is for. A broker answers the requests of one connection one after another, so
 * a long poll must not stand before a heartbeat.
 */
export type Lane = 'control' | 'group' | 'data';

/** Told when a broker's connections come and go. */
export interface PoolListener {
  onConnected(address: string): void;
  /** The connection broke, or could not be made. */
  onLost(address: string, cause: Error): void;
}

/** One address on one lane: at most one connection, made on demand. */
interface Slot {
  connection: Connection | undefined;
  connecting: Promise<Connection> | undefined;
  /** Failed attempts in a row. */
  failures: number;
  /** No attempt before this monotonic time. */
  notBefore: number;
}

type PoolOptions = Omit<ConnectionOptions, 'host' | 'port'>;

/** Connections by address and lane. One that broke is made anew when it is next asked for. */
export class ConnectionPool {
  readonly #system: Pick<System, 'net' | 'clock' | 'random'>;
  readonly #options: PoolOptions;
  readonly #backoff: BackoffSettings;
  readonly #listener: PoolListener;
  readonly #slots = new Map<string, Slot>();
  readonly #abort = new AbortController();

  constructor(
    system: Pick<System, 'net' | 'clock' | 'random'>,
    options: PoolOptions,
    backoff: BackoffSettings,
    listener: PoolListener,
  ) {
    this.#system = system;
    this.#options = options;
    this.#backoff = backoff;
    this.#listener = listener;
  }

  /** The open connection, where there is one. */
  current(address: BrokerAddress, lane: Lane): Connection | undefined {
    return this.#slots.get(keyOf(address, lane))?.connection;
  }

  /**
   * The connection to an address. Makes one attempt, after the backoff that earlier failures
   * demand; rejects with ConnectError.
   */
  get(address: BrokerAddress, lane: Lane): Promise<Connection> {
    if (this.#abort.signal.aborted) return Promise.reject(new ClosedError('the client'));
    const key = keyOf(address, lane);
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = { connection: undefined, connecting: undefined, failures: 0, notBefore: 0 };
      this.#slots.set(key, slot);
    }
    if (slot.connection) return Promise.resolve(slot.connection);
    slot.connecting ??= this.#connect(address, slot);
    return slot.connecting;
  }

  /** Closes the connections to all other addresses. */
  retain(addresses: ReadonlySet<string>): void {
    for (const [key, slot] of this.#slots) {
      if (slot.connecting || addresses.has(key.slice(key.indexOf(' ') + 1))) continue;
      this.#slots.delete(key);
      slot.connection?.close(new ClosedError('a broker that has left the cluster'));
    }
  }

  close(cause: Error): void {
    this.#abort.abort();
    for (const slot of this.#slots.values()) slot.connection?.close(cause);
    this.#slots.clear();
  }

  async #connect(address: BrokerAddress, slot: Slot): Promise<Connection> {
    const { clock, random } = this.#system;
    const { signal } = this.#abort;
    const name = formatBrokerAddress(address);
    try {
      const waitMs = slot.notBefore - clock.monotonic();
      if (waitMs > 0) await clock.sleep(waitMs, signal);
      if (signal.aborted) throw new ClosedError('the client');
      const connection = await Connection.connect(this.#system, { ...this.#options, ...address });
      if (signal.aborted) {
        const closed = new ClosedError('the client');
        connection.close(closed);
        throw closed;
      }
      slot.connection = connection;
      slot.failures = 0;
      this.#listener.onConnected(name);
      connection.onClose((cause) => {
        slot.connection = undefined;
        // A broker that accepts and closes at once must not be asked without a pause.
        slot.notBefore = clock.monotonic() + backoffMs(this.#backoff, 1, random);
        if (!signal.aborted) this.#listener.onLost(name, cause);
      });
      return connection;
    } catch (error) {
      slot.failures++;
      slot.notBefore = clock.monotonic() + backoffMs(this.#backoff, slot.failures, random);
      if (!signal.aborted) this.#listener.onLost(name, error as ConnectError);
      throw error;
    } finally {
      slot.connecting = undefined;
    }
  }
}

export function formatBrokerAddress({ host, port }: BrokerAddress): string {
  return `${host}:${port}`;
}

function keyOf(address: BrokerAddress, lane: Lane): string {
  return `${lane} ${formatBrokerAddress(address)}`;
}
