import {
  type AnyApi,
  type Api,
  ApiVersions,
  type ApiVersionsResponse,
  correlationIdOf,
  decodeResponse,
  encodeRequest,
  FrameMemory,
  FrameSplitter,
  ProtocolError,
} from '../../protocol/index.js';
import type { Connection as Socket, System, Timer } from '../../system/index.js';
import {
  ConnectError,
  ConnectionClosedError,
  RequestTimeoutError,
  UnsupportedVersionError,
} from './errors.js';
import {
  fallbackVersion,
  highestCommon,
  isVersionZeroAnswer,
  type VersionTable,
  versionTable,
} from './versions.js';

/** How a connection is made. */
export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  /** Named to the broker in every request. */
  readonly clientId: string;
  /** Until the broker has accepted and told its versions. Default 10 s. */
  readonly connectTimeoutMs?: number;
  /** Default time for an answer. Default 30 s. */
  readonly requestTimeoutMs?: number;
  /** A larger response closes the connection. Default 128 MiB. */
  readonly maxResponseBytes?: number;
}

/** Settings of one request. */
export interface RequestOptions {
  /** Time for the answer, milliseconds; beyond it the connection is closed. */
  readonly timeoutMs?: number;
  /** Use no later version than this. */
  readonly maxVersion?: number;
}

interface Pending {
  readonly timer: Timer;
  onFrame(frame: Buffer): void;
  onFailure(error: Error): void;
}

const defaultConnectTimeoutMs = 10_000;
const defaultRequestTimeoutMs = 30_000;
const defaultMaxResponseBytes = 128 * 1024 * 1024;
/** How much memory of answers that are done with is kept for later ones. */
const keptFrameBytes = 16 * 1024 * 1024;
const software = { clientSoftwareName: 'logflume', clientSoftwareVersion: '0.1.0' };

/**
 * A connection to one broker. Requests are pipelined: each is sent at once, and answers arrive in
 * the order of the requests. Once closed it stays closed, and all that waits fails with the cause.
 */
export class Connection {
  /** `host:port` */
  readonly address: string;
  readonly #clock: System['clock'];
  readonly #clientId: string;
  readonly #requestTimeoutMs: number;
  readonly #socket: Socket;
  readonly #frames = new FrameMemory(keptFrameBytes);
  readonly #splitter: FrameSplitter;
  /** What waits for an answer, by correlation id. */
  readonly #pending = new Map<number, Pending>();
  readonly #closeListeners: ((cause: Error) => void)[] = [];
  #nextCorrelationId = 1;
  /** Set by `connect` before the connection is handed out. */
  #versions: VersionTable = new Map();
  #closedBy: Error | undefined;

  private constructor(system: Pick<System, 'clock'>, socket: Socket, options: ConnectionOptions) {
    this.address = `${options.host}:${options.port}`;
    this.#clock = system.clock;
    this.#clientId = options.clientId;
    this.#requestTimeoutMs = options.requestTimeoutMs ?? defaultRequestTimeoutMs;
    this.#socket = socket;
    const { maxResponseBytes = defaultMaxResponseBytes } = options;
    this.#splitter = new FrameSplitter(maxResponseBytes, this.#frames);
    socket.handle({
      onData: (bytes) => this.#receive(bytes),
      onDrain: () => {},
      onClose: (error) => this.#fail(error),
    });
  }

  /** Connects and learns the broker's versions. Rejects with ConnectError. */
  static async connect(
    system: Pick<System, 'net' | 'clock'>,
    options: ConnectionOptions,
  ): Promise<Connection> {
    const { host, port, connectTimeoutMs = defaultConnectTimeoutMs } = options;
    try {
      const socket = await system.net.connect({ host, port, timeoutMs: connectTimeoutMs });
      const connection = new Connection(system, socket, options);
      await connection.#negotiate(connectTimeoutMs);
      return connection;
    } catch (error) {
      throw new ConnectError(`${host}:${port}`, error);
    }
  }

  /** Why it is closed; undefined while it is open. */
  get closedBy(): Error | undefined {
    return this.#closedBy;
  }

  /** Requests that wait for their answers. */
  get inFlight(): number {
    return this.#pending.size;
  }

  /** Bytes of requests the operating system has not taken yet. */
  get queuedBytes(): number {
    return this.#socket.queuedBytes;
  }

  /** Calls back once, with the cause, when the connection has closed; at once where it has. */
  onClose(listener: (cause: Error) => void): void {
    if (this.#closedBy) listener(this.#closedBy);
    else this.#closeListeners.push(listener);
  }

  /** Whether the broker speaks this API in `minVersion` (default: any we know) or later. */
  supports(api: AnyApi, minVersion: number = api.minVersion): boolean {
    const version = highestCommon(api, this.#versions.get(api.key));
    return version !== undefined && version >= minVersion;
  }

  /** The version a request is sent in. Throws UnsupportedVersionError where none is shared. */
  versionOf(api: AnyApi, maxVersion?: number): number {
    const offered = this.#versions.get(api.key);
    const version = highestCommon(api, offered, maxVersion);
    if (version !== undefined) return version;
    const needed = `${api.minVersion} to ${maxVersion ?? api.maxVersion}`;
    const has = offered ? `${offered.minVersion} to ${offered.maxVersion}` : 'in no version';
    throw new UnsupportedVersionError(this.address, api.name, needed, has);
  }

  /** Sends a request and resolves with its answer, in the highest version both sides speak. */
  request<Q, P, QI, PI>(
    api: Api<Q, P, QI, PI>,
    body: QI,
    options: RequestOptions = {},
  ): Promise<P> {
    return new Promise((resolve, reject) => {
      const version = this.versionOf(api, options.maxVersion);
      this.#exchange(api, version, body, options.timeoutMs, reject, (frame) => {
        resolve(decodeResponse(api, version, frame).body);
      });
    });
  }

  /** Sends a request that gets no answer (Produce with acks 0). Throws where it is closed. */
  send<Q, P, QI, PI>(api: Api<Q, P, QI, PI>, body: QI): void {
    if (this.#closedBy) throw this.#closedBy;
    const version = this.versionOf(api);
    const id = this.#nextId();
    this.#socket.write(encodeRequest(api, version, id, this.#clientId, body));
  }

  /**
   * Takes back the frame that `slice` of an answer lies in, for later answers: a fetch costs no
   * page faults and no garbage then. Nothing may refer to the answer any more.
   */
  recycle(slice: Buffer): void {
    this.#frames.give(slice);
  }

  /** Closes at once; what waits fails with `cause`. */
  close(cause?: Error): void {
    this.#fail(cause ?? new Error('closed by this side'));
  }

  async #negotiate(timeoutMs: number): Promise<void> {
    const first = await this.#askVersions(ApiVersions.maxVersion, timeoutMs);
    if ('table' in first) {
      this.#versions = first.table;
      return;
    }
    const second = await this.#askVersions(first.retryIn, timeoutMs);
    if (!('table' in second)) throw new Error('the broker refuses every version of ApiVersions');
    this.#versions = second.table;
  }

  #askVersions(
    version: number,
    timeoutMs: number,
  ): Promise<{ table: VersionTable } | { retryIn: number }> {
    return new Promise((resolve, reject) => {
      this.#exchange(ApiVersions, version, software, timeoutMs, reject, (frame) => {
        if (isVersionZeroAnswer(frame)) {
          const answer: ApiVersionsResponse = decodeResponse(ApiVersions, 0, frame).body;
          resolve({ retryIn: fallbackVersion(answer) });
        } else resolve({ table: versionTable(decodeResponse(ApiVersions, version, frame).body) });
      });
    });
  }

  #exchange<Q, P, QI, PI>(
    api: Api<Q, P, QI, PI>,
    version: number,
    body: QI,
    timeoutMs: number | undefined,
    onFailure: (error: Error) => void,
    onFrame: (frame: Buffer) => void,
  ): void {
    if (this.#closedBy) {
      onFailure(this.#closedBy);
      return;
    }
    const id = this.#nextId();
    const chunks = encodeRequest(api, version, id, this.#clientId, body);
    const limitMs = timeoutMs ?? this.#requestTimeoutMs;
    const timer = this.#clock.after(limitMs, () => {
      this.#fail(new RequestTimeoutError(this.address, api.name, limitMs));
    });
    this.#pending.set(id, { timer, onFrame, onFailure });
    this.#socket.write(chunks);
  }

  #nextId(): number {
    const id = this.#nextCorrelationId;
    this.#nextCorrelationId = (id + 1) & 0x7fffffff;
    return id;
  }

  #receive(bytes: Buffer): void {
    try {
      this.#splitter.push(bytes, (frame) => this.#answer(frame));
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #answer(frame: Buffer): void {
    if (this.#closedBy) return;
    const id = correlationIdOf(frame);
    const pending = this.#pending.get(id);
    if (pending === undefined) {
      throw new ProtocolError('MALFORMED', `answer to request ${id}, which nobody waits for`);
    }
    this.#pending.delete(id);
    pending.timer.cancel();
    try {
      pending.onFrame(frame);
    } catch (error) {
      pending.onFailure(error as Error);
      throw error;
    }
  }

  #fail(cause: Error | undefined): void {
    if (this.#closedBy) return;
    const error =
      cause instanceof RequestTimeoutError ? cause : new ConnectionClosedError(this.address, cause);
    this.#closedBy = error;
    this.#socket.destroy();
    for (const pending of this.#pending.values()) {
      pending.timer.cancel();
      pending.onFailure(error);
    }
    this.#pending.clear();
    for (const listener of this.#closeListeners) listener(error);
  }
}
