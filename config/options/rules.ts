/** What an option must be: a sentence's end where the value is not that, undefined where it is. */
export type Rule = (value: unknown) => string | undefined;

/** The value as a sentence may quote it: short, on one line. */
export function quote(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 40)}'`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'a list';
  if (typeof value !== 'object' || value === null) return String(value);
  return `an object of class ${value.constructor?.name ?? 'Object'}`;
}

const wanted =
  (what: string, isRight: (value: unknown) => boolean): Rule =>
  (value) =>
    isRight(value) ? undefined : `must be ${what}, not ${quote(value)}`;

export const anything: Rule = () => undefined;
export const flag: Rule = wanted('true or false', (value) => typeof value === 'boolean');
export const callback: Rule = wanted('a function', (value) => typeof value === 'function');
export const text: Rule = wanted(
  'a text that is not empty',
  (value) => typeof value === 'string' && value !== '',
);

export const anyText: Rule = wanted('a text', (value) => typeof value === 'string');

/** A number from `least` on; whole unless it may be Infinity. */
export function count(least: number, most: number = Number.MAX_SAFE_INTEGER): Rule {
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} on` : `of ${least} to ${most}`;
  return wanted(
    `a whole number ${range}`,
    (value) => Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most,
  );
}

/** Milliseconds or the like: a number from `least` on, Infinity too. */
export function amount(least: number): Rule {
  return wanted(
    `a number from ${least} on, or Infinity`,
    (value) => typeof value === 'number' && value >= least,
  );
}

/** Milliseconds that end. */
export function duration(least: number): Rule {
  return wanted(
    `a number of milliseconds from ${least} on`,
    (value) => typeof value === 'number' && value >= least && value !== Number.POSITIVE_INFINITY,
  );
}

/** One of these values. */
export function oneOf(...values: readonly unknown[]): Rule {
  return wanted(values.map((value) => quote(value)).join(', '), (value) => values.includes(value));
}

/** An object that has these methods. */
export function having(what: string, ...methods: readonly string[]): Rule {
  return wanted(
    what,
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      methods.every((name) => typeof Reflect.get(value, name) === 'function'),
  );
}

/** The first of two rules that a value keeps; what it says is the second's. */
export function either(one: Rule, other: Rule): Rule {
  return (value) => (one(value) === undefined ? undefined : other(value));
}

/** A list whose elements keep a rule. */
export function list(each: Rule, least = 0): Rule {
  return (value) => {
    if (!Array.isArray(value)) return `must be a list, not ${quote(value)}`;
    if (value.length < least) return 'must name at least one';
    for (const [index, element] of value.entries()) {
      const fault = each(element);
      if (fault !== undefined) return `[${index}] ${fault}`;
    }
    return undefined;
  };
}

/** An object whose values keep a rule, whatever their names. */
export function record(each: Rule): Rule {
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return `must be an object, not ${quote(value)}`;
    }
    for (const [name, element] of Object.entries(value)) {
      const fault = each(element);
      if (fault !== undefined) return `.${name} ${fault}`;
    }
    return undefined;
  };
}
