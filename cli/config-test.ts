import type { Finding } from '../agent/index.js';
import type { ClientOptions } from './client-options.js';
import type { ConfigOptions } from './config.js';
import type { Context } from './context.js';
import { ExitCode } from './failure.js';
import { probesOf } from './probes.js';
import { loadWholeConfig, refuseWithoutRole } from './whole-config.js';

const COLOURS = { good: 'green', warning: 'yellow', bad: 'red' } as const;

/**
 * `config test`: looks at what a start would need; starts and changes nothing. A warning is no
 * failure.
 */
export async function test(
  context: Context,
  options: ConfigOptions & ClientOptions,
): Promise<number> {
  const { terminal, system } = context;
  const loaded = await loadWholeConfig(context, options.config);
  refuseWithoutRole(loaded);
  const probes = probesOf(system, loaded, options.timeout);
  const findings: Finding[] = [];
  for (const found of await Promise.all(probes)) findings.push(...found);
  const fits = findings.every(({ outcome }) => outcome !== 'bad');
  if (options.output === 'json') {
    await terminal.data(`${JSON.stringify({ file: options.config, fits, findings })}\n`);
  } else {
    for (const { outcome, what, why } of findings) {
      const words = why === undefined ? what : `${what}: ${why}`;
      const padding = outcome === 'warning' ? '' : ' '.repeat('warning'.length - outcome.length);
      terminal.say(`${terminal.paint(COLOURS[outcome], outcome)}${padding}  ${words}`);
    }
  }
  return fits ? ExitCode.done : ExitCode.failed;
}
