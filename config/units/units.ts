const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const SIZE_UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

function split(text: string): { amount: number; unit: string } | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim());
  return match ? { amount: Number(match[1]), unit: (match[2] ?? '').toLowerCase() } : undefined;
}

/**
 * Milliseconds of a duration such as `500ms`, `10s`, `1.5h` or `7d` (units ms, s, m, h, d);
 * undefined where it is none. A bare number is refused, except 0: its unit would be a guess.
 */
export function parseDuration(text: string): number | undefined {
  const parts = split(text);
  if (!parts) return undefined;
  if (parts.unit === '') return parts.amount === 0 ? 0 : undefined;
  const factor = DURATION_UNITS[parts.unit];
  return factor === undefined ? undefined : Math.round(parts.amount * factor);
}

/**
 * Bytes of a size such as `64MiB` (powers of 1024), `1MB` (powers of 1000) or `512` (bytes);
 * undefined where it is none.
 */
export function parseSize(text: string): number | undefined {
  const parts = split(text);
  if (!parts) return undefined;
  const factor = parts.unit === '' ? 1 : SIZE_UNITS[parts.unit];
  const bytes = factor === undefined ? Number.NaN : Math.round(parts.amount * factor);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

function format(value: number, units: readonly (readonly [string, number])[]): string {
  for (const [unit, factor] of units) {
    if (value !== 0 && value % factor === 0) return `${value / factor}${unit}`;
  }
  return String(value);
}

/** The shortest exact way to write a duration in milliseconds: `10s`, `7d`. */
export function formatDuration(durationMs: number): string {
  return format(durationMs, [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
    ['ms', 1],
  ]);
}

/** The shortest exact way to write a size in bytes: `64MiB`, `1000000`. */
export function formatSize(bytes: number): string {
  return format(bytes, [
    ['TiB', 2 ** 40],
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ]);
}

/** An address as Kafka writes it: a host (or an IP, IPv6 without brackets) and a port. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port` or `[::1]:port`; undefined where it is none. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

/** The way back from `parseAddress`. */
export function formatAddress(address: Address): string {
  return address.host.includes(':')
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`;
}
