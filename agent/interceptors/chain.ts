import { encodeHeaders, type Header } from '../../protocol/records/index.js';
import { detach } from '../../system/index.js';
import { reasonOf } from '../refusal.js';
import type { Interceptor, InterceptorContext } from './interceptor.js';
import { RecordView } from './record-view.js';

/** An interceptor has thrown, or left no record behind: it will with this record again. */
export class InterceptorError extends Error {
  override readonly name = 'InterceptorError';
  readonly code = 'INTERCEPTOR_FAILED';
}

/** An interceptor, and how the YAML names its type. */
export interface NamedInterceptor {
  readonly type: string;
  readonly interceptor: Interceptor;
}

/** The interceptors of one source, in the order of the YAML. */
export class InterceptorChain {
  /** Reused for each record. */
  readonly view = new RecordView();
  /** Whether nothing has to be done per record. */
  readonly isConstant: boolean;
  readonly #active: readonly NamedInterceptor[];
  readonly #constant: readonly Header[];
  readonly #delivered: readonly Interceptor[];

  constructor(
    all: readonly NamedInterceptor[],
    private readonly context: InterceptorContext,
  ) {
    const interceptors = all.map(({ interceptor }) => interceptor);
    this.#active = all.filter(({ interceptor }) => interceptor.intercept);
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
    for (const { type, interceptor } of this.#active) {
      try {
        if (!passes(interceptor.intercept?.(this.view))) return false;
        checkView(this.view);
      } catch (error) {
        throw new InterceptorError(`the interceptor ${type} cannot handle it: ${reasonOf(error)}`, {
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

function passes(answer: unknown): boolean {
  if (!(answer instanceof Promise)) return answer !== false;
  // Nobody else hears of its failure.
  detach(answer, () => {});
  throw new TypeError('it gives a promise, and must answer at once: it cannot be async');
}

/** What is no record would go out as memory that belongs to others. Throws TypeError. */
function checkView({ bytes, start, end, headers }: RecordView): void {
  if (!(bytes instanceof Buffer && start >= 0 && start <= end && end <= bytes.length)) {
    throw new TypeError(`its value is not within its bytes (${start} to ${end})`);
  }
  for (const [name, value] of headers) checkHeader(name, value);
}

function checkHeader(name: unknown, value: unknown): void {
  if (typeof name !== 'string') throw new TypeError('the name of a header must be text');
  if (value === null || value instanceof Uint8Array) return;
  throw new TypeError(`the header ${name} must be a Buffer or null: Buffer.from(String(value))`);
}
