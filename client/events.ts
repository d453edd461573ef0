import { EventEmitter } from 'node:events';
import { detach, type Log } from '../system/index.js';

/** What producers, consumers and clusters emit. */
export interface ClientEvents {
  /** The first connection to the cluster has been made. */
  connected: [{ readonly address: string }];
  /** A broker's connection broke, or it cannot be reached; said once until it has recovered. */
  brokerLost: [{ readonly address: string; readonly cause: Error }];
  /** A lost broker answers again. */
  recovered: [{ readonly address: string }];
  /**
   * A callback of the application has thrown, or its promise was rejected, where nobody could be
   * handed that. Without a listener it goes to the log.
   */
  callbackError: [{ readonly where: string; readonly error: unknown }];
  /** The client has ended; `cause` where it did not do so by request. Always the last event. */
  stopped: [{ readonly cause?: Error }];
}

/** Calls what belongs to the application: whatever it throws stops nobody else. */
export interface Callbacks {
  /** @param where names the callback, such as `the callback of send` */
  call(where: string, callback: () => unknown): void;
  /** Says that the callback failed. */
  report(where: string, error: unknown): void;
}

/** Emits the client's events, typed. A listener that throws keeps neither others nor the client. */
export class ClientEmitter extends EventEmitter<ClientEvents> {
  protected readonly callbacks: Callbacks;

  constructor(log: Log) {
    super();
    const report = (where: string, error: unknown): void => {
      const listeners = this.rawListeners('callbackError');
      if (listeners.length === 0) logFailure(log, where, error);
      for (const listener of listeners) {
        attempt(
          () => listener.call(this, { where, error }),
          (second) => {
            logFailure(log, where, error);
            logFailure(log, 'a listener of callbackError', second);
          },
        );
      }
    };
    this.callbacks = {
      report,
      call: (where, callback) => attempt(callback, (error) => report(where, error)),
    };
  }

  /** Emits to every listener, whatever the others do. */
  protected announce<K extends keyof ClientEvents>(name: K, ...event: ClientEvents[K]): void {
    for (const listener of this.rawListeners(name)) {
      this.callbacks.call(`a listener of ${name}`, () => Reflect.apply(listener, this, event));
    }
  }

  /** Passes another emitter's events on, except those which are each one's own. */
  protected forward(source: ClientEmitter): void {
    source.on('connected', (event) => this.announce('connected', event));
    source.on('brokerLost', (event) => this.announce('brokerLost', event));
    source.on('recovered', (event) => this.announce('recovered', event));
  }
}

/** An async callback's rejection counts as thrown: nobody else would hear of it. */
function attempt(callback: () => unknown, onError: (error: unknown) => void): void {
  try {
    const result = callback();
    if (isThenable(result)) detach(Promise.resolve(result), onError);
  } catch (error) {
    onError(error);
  }
}

/** Whether it is a promise, or passes for one. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

function logFailure(log: Log, where: string, error: unknown): void {
  const stack = error instanceof Error ? error.stack : undefined;
  log.error(`${where} has thrown; everything else goes on`, {
    error: error instanceof Error ? error : String(error),
    ...(stack !== undefined && { stack }),
  });
}
