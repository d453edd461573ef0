import { z } from '../../../config/index.js';
import { writeRecordJson } from '../../record-json.js';
import type { Format, FormatComponent } from './format.js';

const LINE_FEED = 0x0a;

/** One JSON object a line, with offset, timestamp, key and headers. */
const format: Format = {
  extension: 'jsonl',
  isFilePerRecord: false,
  write(out, record, origin) {
    writeRecordJson(out, origin, record);
    out.byte(LINE_FEED);
  },
};

/** `format: jsonl`. */
export const jsonl: FormatComponent = {
  type: 'jsonl',
  schema: z
    .object({})
    .describe('One JSON object a line, with offset, timestamp, key, value and headers.'),
  create: () => format,
};
