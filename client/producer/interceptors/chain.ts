import { detach } from '../../../system/index.js';
import { type Callbacks, isThenable } from '../../events.js';
import type { ProducerRecord, RecordMetadata } from '../record.js';
import type { Interceptor } from './interceptor.js';

/** Interceptors one behind the other. What one of them throws stops neither records nor others. */
export class InterceptorChain {
  /** Somebody listens to acknowledgements: else nobody needs to make them up. */
  readonly hearsAcknowledgements: boolean;

  constructor(
    private readonly interceptors: readonly Interceptor[],
    private readonly callbacks: Callbacks,
  ) {
    this.hearsAcknowledgements = interceptors.some((each) => each.onAcknowledgement !== undefined);
  }

  get isEmpty(): boolean {
    return this.interceptors.length === 0;
  }

  configure(settings: { readonly clientId: string; now(): number }): void {
    for (const each of this.interceptors) {
      this.callbacks.call(nameOf(each, 'configure'), () => each.configure?.(settings));
    }
  }

  /** The record as the last one left it; null where one dropped it. */
  onSend(record: ProducerRecord): ProducerRecord | null {
    let current = record;
    for (const each of this.interceptors) {
      if (each.onSend === undefined) continue;
      const next = this.intercept(each, current);
      if (next === null) return null;
      current = next;
    }
    return current;
  }

  onAcknowledgement(metadata: RecordMetadata, error: Error | null): void {
    for (const each of this.interceptors) {
      if (each.onAcknowledgement === undefined) continue;
      const where = nameOf(each, 'onAcknowledgement');
      this.callbacks.call(where, () => each.onAcknowledgement?.(metadata, error));
    }
  }

  close(): void {
    for (const each of this.interceptors) {
      this.callbacks.call(nameOf(each, 'close'), () => each.close?.());
    }
  }

  /** What one of them makes of a record; the record itself where it fails. */
  private intercept(interceptor: Interceptor, record: ProducerRecord): ProducerRecord | null {
    const where = nameOf(interceptor, 'onSend');
    try {
      const next: unknown = interceptor.onSend?.(record);
      if (next === null) return null;
      if (isThenable(next)) {
        // Its rejection is nobody else's either.
        detach(Promise.resolve(next), (error) => this.callbacks.report(where, error));
        throw new TypeError('onSend returned a promise; it must return the record, or null');
      }
      if (typeof next === 'object') return next as ProducerRecord;
      throw new TypeError(`onSend returned ${typeof next}; it must return the record, or null`);
    } catch (error) {
      this.callbacks.report(where, error);
      return record;
    }
  }
}

function nameOf({ name }: Interceptor, method: string): string {
  return `${method} of the interceptor ${name}`;
}
