import { duration, z } from '../../config/index.js';

/** The `demo:` section: a writer that plays the application. */
export const demoSection = z
  .strictObject({
    directory: z
      .string()
      .min(1)
      .default('./data/demo')
      .describe('Where it keeps its journal: every byte that it wrote, to compare with.'),
    logs: z
      .strictObject({
        directory: z
          .string()
          .min(1)
          .describe('Where it writes app.log, web.log and jobs.log, and rotates them.'),
        lines_per_second: z
          .number()
          .min(1)
          .max(100_000)
          .default(200)
          .describe('Lines a second, over all files.'),
        rotate_every: duration()
          .prefault('8s')
          .describe('How often one of the files is rotated, each in its own way.'),
        keep: z
          .int()
          .min(2)
          .default(20)
          .describe('Rotated generations kept of each file; the oldest is deleted.'),
        sink: z.string().describe('The archive sink to compare with: format lines, file_per key.'),
      })
      .optional(),
    mails: z
      .strictObject({
        directory: z.string().min(1).describe('The dump directory it drops mails into.'),
        every: duration().prefault('2s').describe('How often it drops one.'),
        sink: z.string().describe('The archive sink to compare with: format eml.'),
      })
      .optional(),
  })
  .describe(
    'A writer that plays the application: appends to log files, rotates them, drops mails; and ' +
      'a journal of it all that the archive is compared with at the end.',
  );

export type DemoConfig = z.output<typeof demoSection>;
