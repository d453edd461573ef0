import { z } from '../../../config/index.js';
import { findHeader, type HeaderPosition } from '../../record-view.js';
import type { Format, FormatComponent } from './format.js';

const LINE_FEED = 0x0a;
/** The line goes on in the next record, or its file ended without a line end. */
const PARTIAL_HEADER = Buffer.from('logflume.partial');
/** The bytes that ended the line, where they are not a line feed. */
const DELIMITER_HEADER = Buffer.from('logflume.delimiter');

const header: HeaderPosition = { start: 0, end: -1 };

/** Exactly the bytes that were in the file: the values with their line ends. */
const format: Format = {
  extension: 'log',
  isFilePerRecord: false,
  write(out, record) {
    const { valueStart, valueEnd } = record;
    if (valueEnd > valueStart) out.copy(record, valueStart, valueEnd);
    if (record.headerCount > 0) {
      if (findHeader(record, PARTIAL_HEADER, header)) return;
      if (findHeader(record, DELIMITER_HEADER, header)) {
        if (header.end > header.start) out.copy(record, header.start, header.end);
        return;
      }
    }
    out.byte(LINE_FEED);
  },
  moveTo(at, record) {
    const { bytes, valueStart, valueEnd } = record;
    if (record.headerCount > 0 || valueEnd < 0) return undefined;
    if (at !== valueStart) bytes.copyWithin(at, valueStart, valueEnd);
    const end = at + valueEnd - valueStart;
    // Behind the value stands at least the number of headers, which is known by now.
    bytes[end] = LINE_FEED;
    return end + 1;
  },
};

/** `format: lines`. */
export const lines: FormatComponent = {
  type: 'lines',
  schema: z.object({}).describe('The values as lines: byte for byte the file they came from.'),
  create: () => format,
};
