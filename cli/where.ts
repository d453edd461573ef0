import { UsageError } from './failure.js';

/** A place in a partition, as a person names it. */
export type Where =
  | { readonly kind: 'beginning' }
  | { readonly kind: 'end' }
  | { readonly kind: 'offset'; readonly offset: number }
  /** The first record at or after this time, milliseconds since the epoch. */
  | { readonly kind: 'time'; readonly timestamp: number };

/**
 * Reads `beginning` (`earliest`), `end` (`latest`), an offset, or a time in ISO 8601 (UTC where it
 * names no zone). Throws UsageError.
 */
export function parseWhere(option: string, text: string): Where {
  if (text === 'beginning' || text === 'earliest') return { kind: 'beginning' };
  if (text === 'end' || text === 'latest') return { kind: 'end' };
  if (/^\d{1,15}$/.test(text)) return { kind: 'offset', offset: Number(text) };
  const hasZone = /(Z|[+-]\d{2}:?\d{2})$/.test(text);
  const isDate = /^\d{4}-\d{2}-\d{2}/.test(text);
  const timestamp = Date.parse(!isDate || hasZone || text.length <= 10 ? text : `${text}Z`);
  if (isDate && !Number.isNaN(timestamp)) return { kind: 'time', timestamp };
  throw new UsageError(
    `${option} ${text}: give beginning, end, an offset, or a time such as 2026-11-21T08:00:00Z`,
  );
}
