import type { SourceComponent } from '../source.js';
import { MaildropError, MaildropSource } from './maildrop-source.js';
import { maildropOptions } from './options.js';
import { maildropOutlook } from './outlook.js';

export { MaildropError, MaildropSource, maildropOptions };

const example = `
kafka: { bootstrap: [logs.internal:9092] }
agent:
  sources:
    post:
      type: maildrop
      directory: /var/spool/maildump # write elsewhere and rename into it, or within \`settle\`
      after: move
      move_to: /var/spool/maildump-sent
      topic: mail
`;

/** `type: maildrop`: mails of a directory. */
export const maildropSource: SourceComponent<typeof maildropOptions> = {
  type: 'maildrop',
  schema: maildropOptions,
  example: example,
  create: (options, context) => new MaildropSource(context, options),
  topics: ({ topic }) => [topic],
  largestRecord: ({ max_mail_bytes: bytes }) => ({ option: 'max_mail_bytes', bytes }),
  outlook: (options, system) => maildropOutlook(system, options),
  reads: ({ directory }) => [directory],
};
