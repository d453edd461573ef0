/** What a connection tells its one owner. */
export interface ConnectionEvents {
  /** `bytes` is the receive buffer and belongs to the callee only for the call. */
  onData(bytes: Buffer): void;
  /** The peer has taken what was queued after `write` returned false. */
  onDrain(): void;
  /** Exactly once, last; `error` where the connection broke. */
  onClose(error: Error | undefined): void;
}

/** One TCP (later TLS) connection. */
export interface Connection {
  readonly remoteAddress: string;
  /** Bytes accepted by `write` and not yet taken by the operating system. */
  readonly queuedBytes: number;
  /** Must be called once, in the turn in which the connection was handed over. */
  handle(events: ConnectionEvents): void;
  /**
   * Queues the chunks in order and owns them from now on (do not reuse their memory).
   * Returns false when the caller should wait for `onDrain`.
   */
  write(chunks: readonly Uint8Array[]): boolean;
  /** Stops and resumes `onData`: backpressure towards the peer. */
  pause(): void;
  resume(): void;
  /** Sends what is queued, then closes. */
  end(): void;
  /** Closes at once. */
  destroy(error?: Error): void;
}

/** A listening socket. */
export interface Listener {
  readonly host: string;
  /** The real port, also where 0 was asked for. */
  readonly port: number;
  /** Stops accepting; connections live on. */
  close(): Promise<void>;
}

/** Byte streams between addresses. Errors are Node's, with `code` (ECONNREFUSED, EADDRINUSE …). */
export interface Net {
  /** `onError` hears why a connection could not be accepted, such as EMFILE; it listens on. */
  listen(
    address: { host: string; port: number },
    onConnection: (connection: Connection) => void,
    onError?: (error: Error) => void,
  ): Promise<Listener>;
  /** Rejects with ETIMEDOUT after `timeoutMs`. */
  connect(address: { host: string; port: number; timeoutMs: number }): Promise<Connection>;
}
