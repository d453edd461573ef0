import { resolve } from 'node:path';
import type { System } from '../../../system/index.js';
import type { Finding } from '../../finding.js';
import type { MaildropOptions } from './options.js';

/** Whether the drop directory is there and may be used as `after` wants. Changes nothing. */
export function maildropOutlook(
  { disk }: Pick<System, 'disk'>,
  options: MaildropOptions,
): Finding[] {
  const directory = resolve(options.directory);
  const stat = disk.statSync(directory);
  const bad = (why: string): Finding[] => [{ outcome: 'bad', what: `mails in ${directory}`, why }];
  if (stat === undefined) return bad('there is no such directory; create it, or correct the path');
  if (stat.kind !== 'directory') return bad('it is no directory');
  for (const to of options.after === 'keep' ? (['read'] as const) : (['read', 'write'] as const)) {
    try {
      disk.accessSync(directory, to);
    } catch {
      const wants = to === 'read' ? 'be read' : `be written, as \`after: ${options.after}\` wants`;
      return bad(`it cannot ${wants}: permission denied for this user`);
    }
  }
  return [{ outcome: 'good', what: `mails in ${directory}` }];
}
