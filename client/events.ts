import { EventEmitter } from 'node:events';

/** What producers, consumers and clusters emit. */
export interface ClientEvents {
  /** The first connection to the cluster has been made. */
  connected: [{ readonly address: string }];
  /** A broker's connection broke, or it cannot be reached; said once until it has recovered. */
  brokerLost: [{ readonly address: string; readonly cause: Error }];
  /** A lost broker answers again. */
  recovered: [{ readonly address: string }];
  /** The client has ended; `cause` where it did not do so by request. Always the last event. */
  stopped: [{ readonly cause?: Error }];
}

/** Emits the client's events, typed. */
export class ClientEmitter extends EventEmitter<ClientEvents> {
  /** Passes another emitter's events on, except `stopped`, which is each one's own. */
  protected forward(source: ClientEmitter): void {
    source.on('connected', (event) => this.emit('connected', event));
    source.on('brokerLost', (event) => this.emit('brokerLost', event));
    source.on('recovered', (event) => this.emit('recovered', event));
  }
}
