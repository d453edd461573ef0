/** Default values that generated source refers to as `d[n]`, so that reading allocates none. */
export class Constants {
  readonly values: unknown[] = [];

  /** Source of an expression with this value. */
  refer(value: unknown): string {
    if (value === null || typeof value !== 'object') {
      return typeof value === 'string' ? JSON.stringify(value) : String(value);
    }
    return `d[${this.values.push(value) - 1}]`;
  }
}
