/** One measured figure, with both sides as they really ran. */
export interface Row {
  readonly work: string;
  readonly ours: string;
  readonly peers: readonly string[];
  /** What was asked for, in words. */
  readonly mustReach: string;
  readonly reached: string;
  readonly pass: boolean;
  /** What both sides were told, in words. */
  readonly settings: string;
  /** What arrived on both sides, as it was counted: a figure counts only with that. */
  readonly delivered: string;
  /** Every round as it was measured. */
  readonly rounds: unknown;
}

/** What every row gets: a folder of its own, the file of lines, a place for words. */
export interface Bench {
  readonly directory: string;
  readonly lineCount: number;
  /** Smaller runs while working on a row; 1 is the full size, and only that counts. */
  readonly scale: number;
  say(text: string): void;
}

export const perCpuSecond = (count: number, cpuSeconds: number): number =>
  Math.round(count / cpuSeconds);

export const thousands = (value: number): string => Math.round(value).toLocaleString('en-US');

export const mebibytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MiB`;

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};
