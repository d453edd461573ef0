import { UsageError } from './failure.js';

/**
 * A place in a partition, as a person names it: an end, an offset, or the first record at or
 * after a time (milliseconds since the epoch).
 */
export type Where = 'beginning' | 'end' | number | { readonly timestamp: number };

/**
 * Reads `beginning` (`earliest`), `end` (`latest`), an offset, or a time in ISO 8601 (UTC where it
 * names no zone). Throws UsageError.
 */
export function parseWhere(option: string, text: string): Where {
  if (text === 'beginning' || text === 'earliest') return 'beginning';
  if (text === 'end' || text === 'latest') return 'end';
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const hasZone = /(Z|[+-]\d{2}:?\d{2})$/.test(text);
  const isDate = /^\d{4}-\d{2}-\d{2}/.test(text);
  const timestamp = Date.parse(!isDate || hasZone || text.length <= 10 ? text : `${text}Z`);
  if (isDate && !Number.isNaN(timestamp)) return { timestamp };
  throw new UsageError(
    `${option} ${text}: give beginning, end, an offset, or a time such as 2026-11-21T08:00:00Z`,
  );
}
