/** One mistake in a configuration file; line and column count from 1. */
export interface Problem {
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** A configuration that cannot be used: every mistake, in the order of the file. Exit code 78. */
export class ConfigError extends Error {
  readonly code = 'CONFIG';
  readonly file: string;
  /** Empty where the file as a whole is at fault (it is missing, say). */
  readonly problems: readonly Problem[];

  /** `problems` is a sentence where the file as a whole is at fault. */
  constructor(file: string, problems: readonly Problem[] | string, options?: ErrorOptions) {
    const lines =
      typeof problems === 'string'
        ? [`${file}: ${problems}`]
        : problems.map(({ line, column, text }) => `${file}:${line}:${column}: ${text}`);
    super(lines.join('\n'), options);
    this.name = 'ConfigError';
    this.file = file;
    this.problems = typeof problems === 'string' ? [] : problems;
  }
}
