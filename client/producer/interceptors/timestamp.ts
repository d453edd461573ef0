import type { Interceptor } from './interceptor.js';

/**
 * Puts a record's time before its text or bytes, in milliseconds since the epoch, as the agent's
 * interceptor of the same name does: `1763712000000 line`.
 */
export function timestampInterceptor(options: { readonly separator?: string } = {}): Interceptor {
  const { separator = ' ' } = options;
  let now = () => Number.NaN;
  return {
    name: 'timestamp',
    configure(settings) {
      now = () => settings.now();
    },
    onSend(record) {
      const { value, timestamp = now() } = record;
      const prefix = `${timestamp}${separator}`;
      if (typeof value === 'string') return { ...record, timestamp, value: prefix + value };
      if (!(value instanceof Uint8Array)) return record;
      return { ...record, timestamp, value: Buffer.concat([Buffer.from(prefix), value]) };
    },
  };
}
