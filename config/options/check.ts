import { suggestion } from './nearest.js';
import { quote, type Rule } from './rules.js';

export type { Rule } from './rules.js';

/** Options by name, and what each must be. */
export type OptionRules = Readonly<Record<string, Rule>>;

/**
 * What others call things, by their names in lower case without punctuation: our name, or a
 * sentence (it has spaces) about what we do instead.
 */
export type OptionNames = Readonly<Record<string, string>>;

/** What is told of an object of options. */
interface OptionsAsked {
  readonly required?: readonly string[];
  readonly names?: OptionNames;
}

/** What is wrong with an object of options, as a sentence; undefined: nothing. */
export function faultOf(
  where: string,
  options: unknown,
  rules: OptionRules,
  { required = [], names = {} }: OptionsAsked = {},
): string | undefined {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    return `${where} takes an object of options, not ${quote(options)}`;
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(rules, name)) return `${where}: ${unknownName(name, rules, names)}`;
    const fault = rules[name]?.(value);
    if (fault !== undefined) return `${where}: ${name}${/^[[.]/.test(fault) ? '' : ' '}${fault}`;
  }
  const missing = required.find((name) => Reflect.get(options, name) === undefined);
  return missing === undefined ? undefined : `${where}: ${missing} is missing`;
}

function unknownName(name: string, rules: OptionRules, names: OptionNames): string {
  const known = Object.keys(rules);
  const plain = plainName(name);
  const same = known.find((each) => plainName(each) === plain);
  const foreign = Object.hasOwn(names, plain) ? names[plain] : undefined;
  if (foreign?.includes(' ')) return `there is no option ${name}: ${foreign}`;
  const ours = same ?? (foreign !== undefined && known.includes(foreign) ? foreign : undefined);
  if (ours !== undefined) return `there is no option ${name}; here it is called ${ours}`;
  return `there is no option ${name}${suggestion(name, known)}`;
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}
