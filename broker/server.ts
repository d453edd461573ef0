import {
  ApiVersions,
  decodeRequestHeader,
  ErrorCode,
  encodeResponse,
  FrameMemory,
  Produce,
  ProtocolError,
} from '../protocol/index.js';
import type { Connection, Counter, Listener, System } from '../system/index.js';
import { Admission, addressOf, type Refusal } from './admission.js';
import { BrokerError } from './broker-error.js';
import { ByteBudget } from './byte-budget.js';
import {
  type Answer,
  ClientConnection,
  type ClientOfRequest,
  type ConnectionHost,
} from './client-connection.js';
import { Descriptors } from './descriptors.js';
import type { Endpoint, Handler, RequestContext } from './handler.js';
import { type Resources, resourcesFor } from './resources/index.js';
import type { BrokerServices } from './services.js';
import { ANONYMOUS, type Session } from './session.js';

/** How long a stop waits for clients to take their last answers. */
const STOP_PATIENCE_MS = 2_000;
/** Memory that is kept for the next produce requests, all clients together. */
const FRAME_MEMORY_BYTES = 4 * 1024 * 1024;

/** The largest request that carries no records; `socket.request.max.bytes` is for those that do. */
const MAX_OTHER_REQUEST_BYTES = 16 * 1024 * 1024;
/** How often clients that were not let in are told of. */
const REFUSALS_TOLD_EVERY_MS = 10_000;
/** How often, at most, it is looked what all clients have taken. */
const MEASURE_EVERY_MS = 50;
/** The problem of a process that cannot take more clients. */
const ACCEPT = 'accept';
const SHORT_OF_DESCRIPTORS =
  'file descriptors are running out: new clients are closed, so that the logs can open their ' +
  'files; raise ulimit -n (LimitNOFILE of the service)';

/** Where to listen and what to tell clients. */
export interface ListenerOptions {
  /** Port 0 takes any free one. */
  readonly listen: Endpoint;
  /** Default: `listen`, with the real port. */
  readonly advertise?: Endpoint | undefined;
}

/** A listener that is open. */
interface OpenListener {
  readonly listener: Listener;
  readonly endpoint: Endpoint;
}

/** A way in, as its clients' requests know it. */
interface Entrance {
  /** The address of the listener, as `host:port`. */
  name: string;
  /** What it advertises. */
  endpoint: Endpoint;
}

/** Accepts clients and hands their requests to the handlers. */
export class Server {
  private readonly listeners: OpenListener[] = [];
  private readonly connections = new Set<ClientConnection>();
  private readonly frameMemory = new FrameMemory(FRAME_MEMORY_BYTES);
  private readonly requestCounters = new Map<number, Counter>();
  private readonly requestBytes: ByteBudget;
  private readonly answerBytes: ByteBudget;
  private readonly admission: Admission;
  private readonly refusals = new Map<Refusal, number>();
  private refusalsToldMs = Number.NEGATIVE_INFINITY;
  private outputMeasuredMs = Number.NEGATIVE_INFINITY;
  private stopping = false;
  /** Set by a stop: called when the last connection is closed. */
  private onEmpty: (() => void) | undefined;

  constructor(
    private readonly system: System,
    private readonly services: BrokerServices,
    private readonly handlers: ReadonlyMap<number, Handler>,
  ) {
    const { metrics } = system;
    for (const { api } of handlers.values()) {
      const help = 'Requests that were taken in.';
      const labels = { api: api.name };
      const counter = metrics.counter('logflume_broker_requests_total', help, labels);
      this.requestCounters.set(api.key, counter);
    }
    const help = 'Clients that are connected.';
    metrics.gauge('logflume_broker_connections', help, {}, () => this.connections.size);
    const { queuedMaxRequestBytes, maxConnections } = services.settings;
    this.requestBytes = this.budget('in', queuedMaxRequestBytes);
    this.answerBytes = this.budget('out', queuedMaxRequestBytes);
    const descriptors = new Descriptors(system.disk, system.clock);
    this.admission = new Admission(maxConnections, () => descriptors.isShort());
  }

  private budget(direction: string, limitBytes: number): ByteBudget {
    const budget = new ByteBudget(limitBytes);
    const help = 'Bytes of requests without an answer, and of answers that were not taken yet.';
    const name = 'logflume_broker_queued_bytes';
    this.system.metrics.gauge(name, help, { direction }, () => budget.usedBytes);
    return budget;
  }

  /** Opens a listener. Throws BrokerError CANNOT_LISTEN. */
  async listen({ listen, advertise }: ListenerOptions): Promise<void> {
    const { net } = this.system;
    const entrance: Entrance = { name: '', endpoint: advertise ?? listen };
    try {
      const onConnection = (connection: Connection) => {
        if (this.stopping) connection.destroy();
        else this.admit(connection, entrance);
      };
      const onError = ({ message }: Error) =>
        this.system.problems.raise(ACCEPT, `clients cannot connect (${message}): raise ulimit -n`);
      const listener = await net.listen(listen, onConnection, onError);
      const { host, port } = entrance.endpoint;
      entrance.name = `${listen.host}:${listener.port}`;
      entrance.endpoint = {
        host: isWildcard(host) ? this.system.processes.hostname() : host,
        port: port === 0 ? listener.port : port,
      };
      this.listeners.push({ listener, endpoint: entrance.endpoint });
    } catch (cause) {
      throw cannotListen(listen, cause);
    }
  }

  /** What each listener advertises, in the order in which they were opened. */
  get endpoints(): readonly Endpoint[] {
    return this.listeners.map(({ endpoint }) => endpoint);
  }

  /** The first listener's own address. */
  get address(): Endpoint | undefined {
    const first = this.listeners[0]?.listener;
    return first && { host: first.host, port: first.port };
  }

  /** Closes the listeners, answers what has come in, and closes the connections. */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.listeners.map(({ listener }) => listener.close()));
    const empty = new Promise<void>((resolve) => {
      this.onEmpty = resolve;
    });
    for (const connection of this.connections) connection.drain();
    if (this.connections.size === 0) return;
    const patience = this.system.clock.after(STOP_PATIENCE_MS, () => {
      for (const connection of this.connections) connection.destroy();
    });
    await empty;
    patience.cancel();
  }

  /** Takes a client in, or closes its connection where there are too many. */
  private admit(connection: Connection, entrance: Entrance): void {
    const { problems } = this.system;
    const address = addressOf(connection.remoteAddress);
    const refusal = this.admission.enter(address);
    if (refusal === 'descriptors') problems.raise(ACCEPT, SHORT_OF_DESCRIPTORS);
    else if (refusal === undefined) problems.clear(ACCEPT);
    if (refusal === undefined) {
      this.accept(connection, address, entrance);
      return;
    }
    connection.handle({ onData: () => {}, onDrain: () => {}, onClose: () => {} });
    connection.destroy();
    this.refused(refusal, address);
  }

  /** Counts one that was not let in, and says so now and then. */
  private refused(reason: Refusal, address: string): void {
    const { clock, log, metrics } = this.system;
    const help = 'Connections that were closed at once, by what there was too much of.';
    metrics.counter('logflume_broker_connections_refused_total', help, { reason }).inc(1);
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1);
    const now = clock.monotonic();
    if (now - this.refusalsToldMs < REFUSALS_TOLD_EVERY_MS) return;
    this.refusalsToldMs = now;
    const connections = Object.fromEntries(this.refusals);
    this.refusals.clear();
    log.warn(`too many connections (${reason}): new ones are closed`, { address, connections });
  }

  /**
   * Bytes that one more answer may have: a quarter of what is left, so that many who do not read
   * cannot take it all, and the next still gets something.
   */
  private answerRoom(): number {
    const { answerBytes, system } = this;
    const now = system.clock.monotonic();
    if (answerBytes.freeBytes < answerBytes.usedBytes) {
      // What a client has taken since is only known when it is looked at.
      if (now - this.outputMeasuredMs >= MEASURE_EVERY_MS) {
        this.outputMeasuredMs = now;
        for (const connection of this.connections) connection.measureOutput();
      }
    }
    return Math.floor(answerBytes.freeBytes / 4);
  }

  private accept(connection: Connection, address: string, entrance: Entrance): void {
    const { clock, log, metrics } = this.system;
    const { settings } = this.services;
    const help = 'Bytes of the Kafka protocol.';
    const bytes = (direction: string) =>
      metrics.counter('logflume_broker_network_bytes_total', help, { direction });
    let resources: Resources | undefined;
    const resourcesOf: ResourcesOf = (clientId) => {
      if (resources === undefined || resources.session.clientId !== clientId) {
        const session = sessionOf(entrance, address, clientId);
        resources = resourcesFor(session, this.services);
      }
      return resources;
    };
    const host: ConnectionHost = {
      clock,
      log,
      maxRequestBytes: settings.socketRequestMaxBytes,
      frameMemory: this.frameMemory,
      maxIdleMs: settings.connectionsMaxIdleMs,
      maxWaiting: settings.queuedMaxRequests,
      requestBytes: this.requestBytes,
      answerBytes: this.answerBytes,
      answerRoom: () => this.answerRoom(),
      receivedBytes: bytes('in'),
      sentBytes: bytes('out'),
      isProduce: (frame) => frame.length >= 2 && frame.readInt16BE(0) === Produce.key,
      answer: (frame, requester) => this.answer(frame, requester, entrance.endpoint, resourcesOf),
    };
    const client = new ClientConnection(connection, host, () => {
      this.connections.delete(client);
      this.admission.leave(address);
      if (this.connections.size === 0) this.onEmpty?.();
    });
    this.connections.add(client);
  }

  private answer(
    frame: Buffer,
    client: ClientOfRequest,
    endpoint: Endpoint,
    resourcesOf: ResourcesOf,
  ): Answer | Promise<Answer> {
    const header = decodeRequestHeader(frame);
    const { apiKey, apiVersion, clientId } = header;
    const handler = this.handlers.get(apiKey);
    const offered =
      handler !== undefined &&
      apiVersion >= handler.api.minVersion &&
      apiVersion <= handler.api.maxVersion;
    if (!offered) return this.answerUnsupported(header);
    if (apiKey !== Produce.key && frame.length > MAX_OTHER_REQUEST_BYTES) {
      const what = `a ${handler.api.name} request of ${frame.length} bytes`;
      throw new ProtocolError('TOO_LARGE', `${what}; ${MAX_OTHER_REQUEST_BYTES} are accepted`);
    }
    this.requestCounters.get(apiKey)?.inc();
    const { clock, log } = this.system;
    const { settings } = this.services;
    const { session, topics, groups, cluster, producerIds } = resourcesOf(clientId);
    const context: RequestContext = {
      session,
      topics,
      groups,
      cluster,
      producerIds,
      apiVersion,
      client,
      endpoint,
      settings,
      clock,
      log,
    };
    return handler.answer(frame, header, context);
  }

  /**
   * Only ApiVersions has an answer for a version that is not offered: in version 0, with the range
   * that is (KIP-511). Kafka closes the connection for every other API, and so do we.
   */
  private answerUnsupported(header: {
    apiKey: number;
    apiVersion: number;
    correlationId: number;
  }): Answer {
    const { apiKey, apiVersion, correlationId } = header;
    if (apiKey !== ApiVersions.key) {
      const what = `version ${apiVersion} of the API with key ${apiKey} is not offered`;
      throw new ProtocolError('UNSUPPORTED_VERSION', what);
    }
    return encodeResponse(ApiVersions, 0, correlationId, {
      errorCode: ErrorCode.UNSUPPORTED_VERSION,
      apiKeys: [{ apiKey, minVersion: ApiVersions.minVersion, maxVersion: ApiVersions.maxVersion }],
    });
  }
}

/** The resources for requests of this client id. */
type ResourcesOf = (clientId: string | null) => Resources;

function sessionOf({ name }: Entrance, address: string, clientId: string | null): Session {
  return { listener: name, host: `/${address}`, clientId, principal: ANONYMOUS };
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function cannotListen({ host, port }: Endpoint, cause: unknown): BrokerError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'the port is in use: stop what uses it, or set another in broker.listeners',
    EACCES: 'this user may not open the port: choose one above 1023',
    EADDRNOTAVAIL: 'this machine has no such address: correct broker.listeners',
    ENOTFOUND: 'the host name is not known: correct broker.listeners',
  };
  const reason = reasons[code] ?? (cause instanceof Error ? cause.message : String(cause));
  return new BrokerError(
    'CANNOT_LISTEN',
    `the broker cannot listen on ${host}:${port}: ${reason}`,
    {
      cause,
    },
  );
}
