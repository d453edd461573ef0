import type { Format } from './format.js';

/** One mail (or any document) a file: the value and nothing else. */
export const eml: Format = {
  name: 'eml',
  doc: 'One record a file, the value and nothing else: for mails.',
  extension: 'eml',
  isFilePerRecord: true,
  write(out, record) {
    const { valueStart, valueEnd } = record;
    if (valueEnd > valueStart) out.copy(record, valueStart, valueEnd);
  },
};
