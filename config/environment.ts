/** The environment, as `process.env` has it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A text with its variables filled in, and those that were neither set nor had a default. */
export interface Expanded {
  readonly text: string;
  readonly unset: readonly string[];
}

/**
 * Fills in `${NAME}` and `${NAME:-default}` (the default also where the variable is empty, as in
 * a shell). `$${NAME}` stands for the literal `${NAME}`.
 */
export function expandVariables(text: string, environment: Environment): Expanded {
  const unset: string[] = [];
  const expanded = text.replace(
    /\$(\$\{)|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g,
    (_, escaped: string | undefined, name: string, fallback: string | undefined) => {
      if (escaped !== undefined) return escaped;
      const value = environment[name];
      if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
      if (value === undefined) unset.push(name);
      return value ?? '';
    },
  );
  return { text: expanded, unset };
}
