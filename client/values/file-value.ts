import { basename } from 'node:path';
import { ValueError } from './errors.js';
import type { ValueType } from './value-type.js';

const NAME_HEADER = 'file-name';

/** A whole file as one record: its name without directories, and its content. */
export class FileValue {
  readonly name: string;

  constructor(
    path: string,
    readonly bytes: Uint8Array,
  ) {
    this.name = basename(path);
  }
}

/** Files: the name travels in the header `file-name`, the value is the content alone. */
export const fileType: ValueType<FileValue> = {
  name: 'file',
  matches: (value) => value instanceof FileValue,
  encode: ({ name, bytes }) => ({ bytes, headers: { [NAME_HEADER]: name } }),
  decode(bytes, headers) {
    const name = headers[NAME_HEADER];
    if (name === undefined) throw new ValueError('NOT_RESTORED', 'a file without a name');
    return new FileValue(name, bytes);
  },
};
