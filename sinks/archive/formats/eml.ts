import { z } from '../../../config/index.js';
import type { Format, FormatComponent } from './format.js';

/** One mail (or any document) a file: the value and nothing else. */
const format: Format = {
  extension: 'eml',
  isFilePerRecord: true,
  // A claim names every one of them.
  cutRecords: 1000,
  write(out, record) {
    const { valueStart, valueEnd } = record;
    if (valueEnd > valueStart) out.copy(record, valueStart, valueEnd);
  },
};

/** `format: eml`. */
export const eml: FormatComponent = {
  type: 'eml',
  schema: z.object({}).describe('One record a file, the value and nothing else: for mails.'),
  create: () => format,
};
