/** Who asks, as Kafka names it: a type and a name. */
export interface Principal {
  readonly type: string;
  readonly name: string;
}

/** Who has not said who they are: `User:ANONYMOUS`. */
export const ANONYMOUS: Principal = { type: 'User', name: 'ANONYMOUS' };

/**
 * Who a request comes from. All but the client id belongs to the connection. The client id is a
 * word of each request's header, and one connection may carry several clients' (a proxy); in
 * practice it is always the same, so a connection's session is made anew only where it changes.
 */
export interface Session {
  /** The address of the listener that the connection came in by, as `host:port`. */
  readonly listener: string;
  /** The client's address as Kafka prints one that was not looked up: `/127.0.0.1`. */
  readonly host: string;
  readonly clientId: string | null;
  readonly principal: Principal;
}
