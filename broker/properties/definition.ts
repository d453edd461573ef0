/** The types of Kafka's properties, and the numbers DescribeConfigs has for them. */
export const propertyTypes = {
  boolean: 1,
  string: 2,
  int: 3,
  long: 5,
  double: 6,
  list: 7,
} as const;

export type PropertyType = keyof typeof propertyTypes;

/** One of Kafka's properties: its name, meaning and what it may be set to. */
export interface PropertyDefinition {
  readonly name: string;
  readonly type: PropertyType;
  /** As Kafka would print it. */
  readonly default: string;
  readonly doc: string;
  readonly min?: number;
  readonly max?: number;
  /** The values a string, or each word of a list, may have. */
  readonly choices?: readonly string[];
}

/** Java's Long.MAX_VALUE, in properties "no limit"; beyond 2^53 nothing else is meant. */
export const LONG_MAX_TEXT = '9223372036854775807';

const INT_MAX = 2 ** 31 - 1;

/** Why a text cannot be a property's value; undefined where it can. */
export function valueProblem(definition: PropertyDefinition, text: string): string | undefined {
  const { type, choices } = definition;
  if (type === 'boolean') return /^(true|false)$/i.test(text) ? undefined : 'must be true or false';
  if (type === 'string') {
    return choices === undefined || choices.includes(text) ? undefined : oneOf(choices);
  }
  if (type === 'list') {
    const words = listOf(text);
    const known = choices === undefined || words.every((word) => choices.includes(word));
    return known && words.length > 0 ? undefined : oneOf(choices ?? []);
  }
  return numberProblem(definition, text);
}

function numberProblem(definition: PropertyDefinition, text: string): string | undefined {
  const { type, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = definition;
  const whole = type !== 'double';
  if (!(whole ? /^-?\d+$/ : /^-?\d+(\.\d+)?$/).test(text)) {
    return whole ? 'must be a whole number (Kafka takes no units here)' : 'must be a number';
  }
  const value = Number(text);
  if (value < min) return `must be at least ${min}`;
  if (value > max) return `must be at most ${max}`;
  return type === 'int' && value > INT_MAX ? `must be at most ${INT_MAX}` : undefined;
}

function oneOf(choices: readonly string[]): string {
  return `must be ${choices.join(' or ')}`;
}

/** A number as typed code wants it: Kafka's Long.MAX is no limit. */
export function numberOf(text: string): number {
  const value = Number(text);
  return Number.isSafeInteger(value) || !Number.isInteger(value) ? value : Number.POSITIVE_INFINITY;
}

/** The words of a list. */
export function listOf(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}
