import { writeRecordJson } from '../../record-json.js';
import type { Format } from './format.js';

const LINE_FEED = 0x0a;

/** One JSON object a line, with offset, timestamp, key and headers. */
export const jsonl: Format = {
  name: 'jsonl',
  doc: 'One JSON object a line, with offset, timestamp, key, value and headers.',
  extension: 'jsonl',
  isFilePerRecord: false,
  write(out, record, origin) {
    writeRecordJson(out, origin, record);
    out.byte(LINE_FEED);
  },
};
