import { encodeHeaders, type Header } from '../../protocol/records/index.js';
import type { Interceptor } from './interceptor.js';
import { RecordView } from './record-view.js';

/** An interceptor has thrown: it will with this record again. */
export class InterceptorError extends Error {
  override readonly name = 'InterceptorError';
  readonly code = 'INTERCEPTOR_FAILED';
}

/** The interceptors of one source, in the order of the YAML. */
export class InterceptorChain {
  /** Reused for each record. */
  readonly view = new RecordView();
  /** Whether nothing has to be done per record. */
  readonly isConstant: boolean;
  readonly #active: readonly Interceptor[];
  readonly #constant: readonly Header[];
  readonly #delivered: readonly Interceptor[];

  constructor(interceptors: readonly Interceptor[]) {
    this.#active = interceptors.filter((one) => one.intercept);
    this.#delivered = interceptors.filter((one) => one.onDelivered);
    this.#constant = interceptors.flatMap((one) => one.constantHeaders ?? []);
    this.isConstant = this.#active.length === 0;
  }

  /** The headers that all records have, with `more` behind them; null for none. */
  headersWith(more: readonly Header[]): Buffer | null {
    const all = this.allHeaders(more);
    return all.length === 0 ? null : encodeHeaders(all);
  }

  /** The same, before they are encoded. */
  allHeaders(more: readonly Header[]): readonly Header[] {
    return [...this.#constant, ...more];
  }

  /** Passes `view` on; false where an interceptor dropped it. Throws InterceptorError. */
  intercept(): boolean {
    for (const interceptor of this.#active) {
      try {
        const isKept: unknown = interceptor.intercept?.(this.view);
        if (isKept === false) return false;
        if (isKept !== true) refusePromise(isKept);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new InterceptorError(`an interceptor cannot handle it: ${why}`, { cause: error });
      }
    }
    return true;
  }

  /** Tells the interceptors that care what became of `records` records. */
  delivered(records: number, succeeded: boolean): void {
    for (const interceptor of this.#delivered) interceptor.onDelivered?.(records, succeeded);
  }
}

/** What is decided later comes too late, and would be written into another record. */
function refusePromise(answer: unknown): void {
  if (!(answer instanceof Promise)) return;
  // Nobody waits for it: a rejection would be one that nobody awaited.
  answer.catch(() => undefined);
  throw new Error('intercept() gave a promise, and must answer at once');
}
