import {
  createServer,
  type NetConnectOpts,
  connect as netConnect,
  type Server,
  Socket,
} from 'node:net';
import type { Connection, ConnectionEvents, Listener, Net } from '../net.js';

/** So that one read takes in all that a busy client has in flight: fewer reads, fewer answers. */
const receiveBufferBytes = 512 * 1024;
/** Chunks that are no more together are joined: each write of its own costs more than the copy. */
const joinedBytes = 4096;
/** A writer is asked to wait once this much is queued. */
const writeBufferBytes = 1024 * 1024;
/** How long a peer may take to close its side after ours has ended. */
const lingerMs = 1000;

/** TCP of the machine. */
export function createNet(): Net {
  return { listen, connect };
}

function listen(
  address: { host: string; port: number },
  onConnection: (connection: Connection) => void,
  onError?: (error: Error) => void,
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const options = { pauseOnConnect: true, noDelay: true, highWaterMark: writeBufferBytes };
    const server = createServer(options, (socket) => onConnection(RealConnection.accepted(socket)));
    server.once('error', reject);
    server.listen(address, () => {
      server.off('error', reject);
      // Such as EMFILE: the listener survives, and the peer sees a connection that closes.
      server.on('error', (error) => onError?.(error));
      resolve(new RealListener(server));
    });
  });
}

function connect(address: { host: string; port: number; timeoutMs: number }): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const reader = new Reader();
    const { host, port } = address;
    const socket = netConnect({
      host,
      port,
      noDelay: true,
      onread: reader.options,
      writableHighWaterMark: writeBufferBytes,
    } as NetConnectOpts);
    const fail = (error: Error) => {
      clearTimeout(timer);
      reject(firstOf(error));
    };
    const timer = setTimeout(() => {
      socket.destroy(timeoutError(address));
    }, address.timeoutMs);
    socket.once('error', fail);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', fail);
      resolve(new RealConnection(socket, reader));
    });
  });
}

/** A name with several addresses fails with one error for each; the first tells enough. */
function firstOf(error: Error): Error {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  return first instanceof Error ? first : error;
}

function timeoutError({
  host,
  port,
  timeoutMs,
}: {
  host: string;
  port: number;
  timeoutMs: number;
}) {
  const message = `connect ETIMEDOUT ${host}:${port}: no answer within ${timeoutMs} ms`;
  return Object.assign(new Error(message), { code: 'ETIMEDOUT' });
}

/**
 * Where libuv asks for memory only when bytes wait to be read, all connections share one buffer;
 * Windows lends it to the kernel beforehand, so there each connection has its own.
 */
const lends = process.platform === 'win32';
let sharedBuffer: Buffer | undefined;

function receiveBuffer(): Buffer {
  if (lends) return Buffer.allocUnsafeSlow(receiveBufferBytes);
  sharedBuffer ??= Buffer.allocUnsafeSlow(receiveBufferBytes);
  return sharedBuffer;
}

/** Hands what is read into a reused buffer to the connection's owner. */
class Reader {
  events: ConnectionEvents | undefined;
  readonly options = {
    buffer: receiveBuffer(),
    callback: (length: number, buffer: Uint8Array): boolean => {
      this.events?.onData(buffer.subarray(0, length) as Buffer);
      return true;
    },
  };
}

class RealConnection implements Connection {
  readonly remoteAddress: string;
  readonly #socket: Socket;
  readonly #reader: Reader;
  #error: Error | undefined;

  constructor(socket: Socket, reader: Reader) {
    this.#socket = socket;
    this.#reader = reader;
    this.remoteAddress = `${socket.remoteAddress}:${socket.remotePort}`;
    socket.on('error', (error) => {
      this.#error = error;
    });
  }

  /**
   * Node gives accepted sockets no `onread`. So the paused socket's handle moves to a socket that
   * has it: half the CPU per byte, and no 64 KiB of garbage per read.
   */
  static accepted(socket: Socket): RealConnection {
    const reader = new Reader();
    const carrier = socket as unknown as { _handle: unknown };
    const handle = carrier._handle;
    if (handle === null || handle === undefined) {
      socket.on('data', (bytes: Buffer) => reader.events?.onData(bytes));
      return new RealConnection(socket, reader);
    }
    carrier._handle = null;
    const options = { handle, onread: reader.options, writableHighWaterMark: writeBufferBytes };
    return new RealConnection(new Socket(options as object), reader);
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  handle(events: ConnectionEvents): void {
    this.#reader.events = events;
    this.#socket.on('drain', () => events.onDrain());
    this.#socket.once('close', () => {
      this.#reader.events = undefined;
      events.onClose(this.#error);
    });
    this.#socket.resume();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    if (!socket.writable) return true;
    if (chunks.length === 1) return chunks[0] === undefined || socket.write(chunks[0]);
    let sizeBytes = 0;
    for (const chunk of chunks) sizeBytes += chunk.length;
    if (sizeBytes <= joinedBytes) return socket.write(Buffer.concat(chunks, sizeBytes));
    let room = true;
    socket.cork();
    for (const chunk of chunks) room = socket.write(chunk);
    socket.uncork();
    return room;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    const socket = this.#socket;
    socket.end();
    // Keeps reading: closing with unread bytes resets the connection and may take from the peer
    // what was just sent.
    this.#reader.events = undefined;
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once('close', () => clearTimeout(timer));
  }

  destroy(error?: Error): void {
    this.#socket.destroy(error);
  }
}

class RealListener implements Listener {
  readonly host: string;
  readonly port: number;
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('not a TCP listener');
    this.host = address.address;
    this.port = address.port;
  }

  async close(): Promise<void> {
    // Its callback would wait for the connections to end; the port is free at once.
    this.#server.close();
  }
}
