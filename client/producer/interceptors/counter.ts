import type { Interceptor } from './interceptor.js';

/** Counts what was delivered and what was not; read it at any time. */
export class CounterInterceptor implements Interceptor {
  readonly name = 'counter';
  succeeded = 0;
  failed = 0;

  onAcknowledgement(_metadata: unknown, error: Error | null): void {
    if (error === null) this.succeeded++;
    else this.failed++;
  }
}
