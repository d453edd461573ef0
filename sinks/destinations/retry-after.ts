/** Nobody means longer ones. */
const MAX_RETRY_AFTER_MS = 3_600_000;
/** The three forms of RFC 9110, 5.6.7: `Date.parse` alone would take nearly anything. */
const IMF_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const RFC_850_DATE = /^[A-Z][a-z]+, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/;
const ASCTIME_DATE = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/;

/**
 * Milliseconds that an answer asks to wait: `Retry-After` (RFC 9110, 10.2.3) in seconds, or as a
 * date, which counts from the answer's own `Date` where it has one: our clock may be another.
 * From 0 to an hour; undefined where the answer asks for nothing that can be understood.
 */
export function retryAfterOf(
  headers: Readonly<Record<string, string>>,
  nowMs: number,
): number | undefined {
  const value = headers['retry-after']?.trim();
  if (value === undefined) return undefined;
  const waitMs = /^\d+$/.test(value)
    ? Number(value) * 1000
    : (parseDate(value) ?? Number.NaN) - (parseDate(headers.date?.trim()) ?? nowMs);
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), MAX_RETRY_AFTER_MS);
}

function parseDate(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const zoned = ASCTIME_DATE.test(text) ? `${text} GMT` : text;
  const isDate = zoned !== text || IMF_DATE.test(text) || RFC_850_DATE.test(text);
  const ms = isDate ? Date.parse(zoned) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
