import { resolve } from 'node:path';
import { duration, topicName, z } from '../../../config/index.js';
import { keyTemplate } from '../key-template.js';

/** What a `maildrop` source is asked. */
export const maildropOptions = z
  .strictObject({
    directory: z
      .string()
      .min(1)
      .describe(
        'Where complete mails are dropped. Names that begin with a dot are left alone. ' +
          'A missing directory is awaited, never created.',
      ),
    topic: topicName().describe('Where the mails go.'),
    key: keyTemplate
      .default('{host}:{path}')
      .describe('Key of the records, with {host}, {path} and {name} of the mail’s file.'),
    after: z
      .enum(['delete', 'keep', 'move'])
      .default('keep')
      .describe('What becomes of a mail once it is acknowledged.'),
    move_to: z.string().min(1).optional().describe('The directory for `after: move`.'),
    settle: duration()
      .prefault('1s')
      .describe('A file is complete when it has not changed for so long.'),
    max_mail_bytes: z
      .int()
      .min(1)
      .max(100_000_000)
      .default(1_000_000)
      .describe('Larger mails go to failed/; must fit the topic’s max.message.bytes.'),
  })
  .refine((options) => (options.after === 'move') === (options.move_to !== undefined), {
    path: ['move_to'],
    error: 'belongs to `after: move`, and only to it',
  })
  .refine(({ directory, move_to: moveTo }) => !moveTo || resolve(directory) !== resolve(moveTo), {
    path: ['move_to'],
    error: 'is the directory itself, so each mail would be sent again and again: name another one',
  })
  .describe(
    'Takes mails from a directory, one record each: the raw message, with message-id, from, to, ' +
      'subject and date as headers. What cannot be sent goes to failed/ with its reason.',
  );

export type MaildropOptions = z.output<typeof maildropOptions>;
