import type { z } from 'zod';
import { suggestion } from './options/index.js';

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  null: 'empty',
};

function what(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'object':
      return 'a mapping';
    case 'string':
      return `the text "${value.length > 40 ? `${value.slice(0, 40)}…` : value}"`;
    default:
      return String(value);
  }
}

function anyOf(words: readonly string[]): string {
  return words.length < 2
    ? words.join('')
    : `${words.slice(0, -1).join(', ')} or ${words[words.length - 1]}`;
}

function tooSmall(issue: z.core.$ZodIssueTooSmall): string {
  if (issue.origin === 'string' || issue.origin === 'array' || issue.origin === 'record') {
    return issue.minimum === 1 ? 'must not be empty' : `must have at least ${issue.minimum}`;
  }
  return `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`;
}

function tooBig(issue: z.core.$ZodIssueTooBig): string {
  if (issue.origin === 'string') return `must have at most ${issue.maximum} characters`;
  if (issue.origin === 'array') return `must have at most ${issue.maximum} entries`;
  return `must be ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}`;
}

function union(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>): string {
  const options = ((issue as { options?: readonly unknown[] }).options ?? []).map(String);
  if (issue.discriminator !== undefined) {
    const value = (issue.input as Record<string, unknown>)[issue.discriminator];
    if (value === undefined) return `is missing; it must be ${anyOf(options)}`;
    return `unknown ${issue.discriminator} "${value}"${suggestion(String(value), options)}`;
  }
  const expected = issue.errors.flatMap((branch) =>
    branch.flatMap((error) => (error.code === 'invalid_type' ? [error.expected] : [])),
  );
  const values = issue.errors.flatMap((branch) =>
    branch.flatMap((error) => (error.code === 'invalid_value' ? error.values.map(String) : [])),
  );
  const words = [...new Set([...values, ...expected.map((type) => EXPECTED[type] ?? type)])];
  return `must be ${anyOf(words)}, not ${what(issue.input)}`;
}

/**
 * zod's issue as the end of a sentence whose subject is the key. For zod's `error` option; what a
 * schema says itself comes first.
 */
export function sentence(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_union') return union(issue);
  if (issue.input === undefined && issue.code !== 'custom') return 'is missing';
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === null) return 'is empty; give it a value, or {} for all defaults';
      return `must be ${EXPECTED[issue.expected] ?? issue.expected}, not ${what(issue.input)}`;
    case 'invalid_value': {
      const values = issue.values.map(String);
      const near = typeof issue.input === 'string' ? suggestion(issue.input, values) : '';
      const hint = near.startsWith('; did') ? near : '';
      return `must be ${anyOf(values)}, not ${what(issue.input)}${hint}`;
    }
    case 'too_small':
      return tooSmall(issue as z.core.$ZodIssueTooSmall);
    case 'too_big':
      return tooBig(issue as z.core.$ZodIssueTooBig);
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return issue.format === 'regex'
        ? `${what(issue.input)} does not match ${issue.pattern}`
        : `${what(issue.input)} is not a valid ${issue.format}`;
    default:
      return undefined;
  }
}
