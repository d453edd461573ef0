import { encodeHeaders, type Header } from '../../protocol/records/index.js';
import { detach } from '../../system/index.js';
import { reasonOf } from '../refusal.js';
import type { Interceptor, InterceptorContext } from './interceptor.js';
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

  constructor(
    interceptors: readonly Interceptor[],
    private readonly context: InterceptorContext,
  ) {
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
        if (isKept instanceof Promise) throw promised(isKept);
      } catch (error) {
        throw new InterceptorError(`an interceptor cannot handle it: ${reasonOf(error)}`, {
          cause: error,
        });
      }
    }
    return true;
  }

  /**
   * Tells the interceptors that care what became of `records` records. What one throws then is
   * said, and changes nothing: neither the records nor the other interceptors are at fault.
   */
  delivered(records: number, succeeded: boolean): void {
    if (this.#delivered.length === 0) return;
    const { system, source } = this.context;
    const problem = `interceptors of ${source}`;
    let failure: { readonly error: unknown } | undefined;
    for (const interceptor of this.#delivered) {
      try {
        interceptor.onDelivered?.(records, succeeded);
      } catch (error) {
        failure ??= { error };
      }
    }
    const text = `an interceptor of source ${source} cannot handle what became of its records`;
    if (failure) system.problems.raise(problem, `${text}: ${reasonOf(failure.error)}`, failure);
    else system.problems.clear(problem);
  }
}

/** Nobody waits for it, so the record would go on before the interceptor is through. */
function promised(answer: Promise<unknown>): Error {
  // That it fails as well says nothing more.
  detach(answer, () => {});
  return new Error('intercept gives a promise, and must answer at once: it cannot be async');
}
