import { parseDuration } from '../config/units/index.js';
import { InvalidArgumentError, Option } from './commander.js';

/** `-o`, of every command that prints data. */
export const outputOption = () =>
  new Option('-o, --output <format>', 'what to print').choices(['text', 'json']).default('text');

/** `--timeout`, of every command that asks a broker; parses to milliseconds. */
export const timeoutOption = (usual: string) =>
  new Option('--timeout <duration>', 'give up on a broker after this time')
    .default(durationArgument(usual), usual)
    .argParser(durationArgument);

function durationArgument(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined) return durationMs;
  throw new InvalidArgumentError('Give a duration with its unit, such as 10s.');
}
