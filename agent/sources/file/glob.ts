/**
 * Globs over absolute paths with `/`: `*` and `?` within a name, `**` for any number of
 * directories, `{a,b}` alternatives, `[a-z]` and `[!a-z]`, `\` takes the next character as it is.
 * As in a shell, `*`, `?` and `[…]` at the start of a name do not match a leading dot.
 */
export interface Glob {
  /** The deepest directory without a wildcard: nothing matches outside it. */
  readonly base: string;
  /** Whether matches may lie deeper than one directory below `base`. */
  readonly recursive: boolean;
  matches(path: string): boolean;
  /** Whether something below this directory can match. */
  mayHold(directory: string): boolean;
}

/** Globs longer than this after expanding braces are refused. */
const maxAlternatives = 1000;

/** Compiles one glob. Throws a RangeError where braces expand to too many alternatives. */
export function compileGlob(pattern: string): Glob {
  const alternatives = expandBraces(pattern).map((one) => new SegmentGlob(one));
  const bases = alternatives.map((one) => one.base);
  const base = bases.reduce(commonDirectory);
  return {
    base,
    recursive: alternatives.some((one) => one.recursive || one.base !== base),
    matches: (path) => alternatives.some((one) => one.matches(path)),
    mayHold: (directory) => alternatives.some((one) => one.mayHold(directory)),
  };
}

/** One glob without braces, as the names of its path. */
class SegmentGlob {
  readonly base: string;
  readonly recursive: boolean;
  /** undefined stands for `**`. */
  readonly #segments: readonly (RegExp | undefined)[];

  constructor(pattern: string) {
    const names = pattern.split('/').slice(1);
    const firstWild = names.findIndex((name) => /[*?[\\]/.test(name));
    const baseNames = firstWild < 0 ? names.slice(0, -1) : names.slice(0, firstWild);
    this.base = `/${baseNames.join('/')}`;
    this.recursive = names.length - baseNames.length > 1;
    this.#segments = names.map((name) => (name === '**' ? undefined : compileName(name)));
  }

  matches(path: string): boolean {
    return matchFrom(this.#segments, 0, namesOf(path), 0, false);
  }

  mayHold(directory: string): boolean {
    return matchFrom(this.#segments, 0, namesOf(directory), 0, true);
  }
}

function namesOf(path: string): string[] {
  return path === '/' ? [] : path.split('/').slice(1);
}

/** `prefix`: whether it is enough that all names are used up, with segments left over. */
function matchFrom(
  segments: readonly (RegExp | undefined)[],
  segment: number,
  names: readonly string[],
  name: number,
  prefix: boolean,
): boolean {
  if (name === names.length) {
    if (prefix) return segment < segments.length;
    return segments.slice(segment).every((rest) => rest === undefined);
  }
  if (segment === segments.length) return false;
  const expected = segments[segment];
  const actual = names[name] ?? '';
  if (expected) {
    return expected.test(actual) && matchFrom(segments, segment + 1, names, name + 1, prefix);
  }
  if (matchFrom(segments, segment + 1, names, name, prefix)) return true;
  return !actual.startsWith('.') && matchFrom(segments, segment, names, name + 1, prefix);
}

function compileName(name: string): RegExp {
  let source = /^[*?[]/.test(name) ? '(?!\\.)' : '';
  for (let at = 0; at < name.length; at++) {
    const character = name[at] ?? '';
    const set = character === '[' ? /^\[([!^]?)(\]?[^\]]*)\]/.exec(name.slice(at)) : null;
    if (set) {
      const members = (set[2] ?? '').replace(/[\\\]^[]/g, '\\$&');
      source += `[${set[1] ? '^' : ''}${members}]`;
      at += set[0].length - 1;
    } else if (character === '*') source += '.*';
    else if (character === '?') source += '.';
    else if (character === '\\' && at + 1 < name.length) source += literal(name[++at] ?? '');
    else source += literal(character);
  }
  return new RegExp(`^${source}$`, 'su');
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

function expandBraces(pattern: string): string[] {
  const open = firstBrace(pattern);
  if (!open) return [pattern];
  const { start, end, parts } = open;
  const expanded = parts.flatMap((part) =>
    expandBraces(pattern.slice(0, start) + part + pattern.slice(end + 1)),
  );
  if (expanded.length > maxAlternatives) {
    throw new RangeError(`the glob ${pattern} has more than ${maxAlternatives} alternatives`);
  }
  return expanded;
}

/** The first `{…}` with a comma at its own level. */
function firstBrace(pattern: string): { start: number; end: number; parts: string[] } | undefined {
  for (let start = 0; start < pattern.length; start++) {
    if (pattern[start] === '\\') start++;
    else if (pattern[start] === '{') {
      const found = closeBrace(pattern, start);
      if (found) return { start, ...found };
    }
  }
  return undefined;
}

function closeBrace(pattern: string, start: number): { end: number; parts: string[] } | undefined {
  const parts: string[] = [];
  let depth = 0;
  let partStart = start + 1;
  for (let at = start; at < pattern.length; at++) {
    const character = pattern[at];
    if (character === '\\') at++;
    else if (character === '{') depth++;
    else if (character === ',' && depth === 1) {
      parts.push(pattern.slice(partStart, at));
      partStart = at + 1;
    } else if (character === '}' && --depth === 0) {
      if (parts.length === 0) return undefined;
      return { end: at, parts: [...parts, pattern.slice(partStart, at)] };
    }
  }
  return undefined;
}

function commonDirectory(a: string, b: string): string {
  const left = namesOf(a);
  const right = namesOf(b);
  let shared = 0;
  while (shared < left.length && shared < right.length && left[shared] === right[shared]) shared++;
  return `/${left.slice(0, shared).join('/')}`;
}
