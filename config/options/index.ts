export { faultOf, type OptionNames, type OptionRules, type Rule } from './check.js';
export { suggestion } from './nearest.js';
export * as rule from './rules.js';
