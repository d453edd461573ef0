import type { Log } from '../../../system/index.js';
import type { ProducerRecord, RecordMetadata } from '../record.js';
import type { Interceptor } from './interceptor.js';

/** Interceptors one behind the other. What one of them throws stops neither records nor others. */
export class InterceptorChain {
  /** Somebody listens to acknowledgements: else nobody needs to make them up. */
  readonly hearsAcknowledgements: boolean;

  constructor(
    private readonly interceptors: readonly Interceptor[],
    private readonly log: Log,
  ) {
    this.hearsAcknowledgements = interceptors.some((each) => each.onAcknowledgement !== undefined);
  }

  get isEmpty(): boolean {
    return this.interceptors.length === 0;
  }

  configure(settings: { readonly clientId: string; now(): number }): void {
    for (const each of this.interceptors) {
      this.guard(each, 'configure', () => each.configure?.(settings));
    }
  }

  /** The record as the last one left it; null where one dropped it. */
  onSend(record: ProducerRecord): ProducerRecord | null {
    let current = record;
    for (const each of this.interceptors) {
      if (each.onSend === undefined) continue;
      const next = this.guard(each, 'onSend', () => each.onSend?.(current));
      if (next === null) return null;
      if (next !== undefined) current = next;
    }
    return current;
  }

  onAcknowledgement(metadata: RecordMetadata, error: Error | null): void {
    for (const each of this.interceptors) {
      if (each.onAcknowledgement === undefined) continue;
      this.guard(each, 'onAcknowledgement', () => each.onAcknowledgement?.(metadata, error));
    }
  }

  close(): void {
    for (const each of this.interceptors) this.guard(each, 'close', () => each.close?.());
  }

  private guard<T>(interceptor: Interceptor, method: string, call: () => T): T | undefined {
    try {
      return call();
    } catch (error) {
      this.log.error(`the interceptor ${interceptor.name} has thrown and is passed over`, {
        method,
        error: error instanceof Error ? error.message : String(error),
      });
      return undefined;
    }
  }
}
