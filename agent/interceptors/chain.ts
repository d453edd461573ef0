import { encodeHeaders, type Header } from '../../protocol/records/index.js';
import { detach } from '../../system/index.js';
import type { Interceptor } from './interceptor.js';
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

  constructor(all: readonly NamedInterceptor[]) {
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
        const why = error instanceof Error ? error.message : String(error);
        throw new InterceptorError(`the interceptor ${type} cannot handle it: ${why}`, {
          cause: error,
        });
      }
    }
    return true;
  }

  /** Tells the interceptors that care what became of `records` records. */
  delivered(records: number, succeeded: boolean): void {
    for (const interceptor of this.#delivered) interceptor.onDelivered?.(records, succeeded);
  }
}

function passes(answer: unknown): boolean {
  if (!(answer instanceof Promise)) return answer !== false;
  // Nobody else hears of its failure.
  detach(answer, () => {});
  throw new TypeError('it gives a promise, where it must answer at once');
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
