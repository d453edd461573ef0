import { compress, decompress, loadCodec } from '../../protocol/records/index.js';

/** How a file's content is compressed: slice by slice, each one a gzip member or zstd frame. */
export interface Compression {
  /** Behind the format's extension. */
  readonly suffix: string;
  /** The stored bytes are the content itself. */
  readonly isIdentity: boolean;
  /** Must be awaited before the first slice. */
  load(): Promise<void>;
  /** The slice compressed; `slice` itself where nothing is to be done. */
  compressSlice(slice: Buffer): Buffer;
  /** Takes a file back apart: hands its content over in order. */
  reader(onContent: (content: Buffer) => void): ContentReader;
}

/** Both throw where the bytes are no whole file of this compression. */
interface ContentReader {
  push(bytes: Buffer): void;
  end(): void;
}

/** In front of each zstd frame stands a skippable one with its size, as pzstd writes it. */
const SIZE_FRAME_MAGIC = 0x184d2a50;
const SIZE_FRAME_BYTES = 12;
/** Each gzip member carries its size in an extra field (RFC 1952, 2.3.1.1) called LF. */
const GZIP_HEADER_BYTES = 10;
const GZIP_EXTRA_BYTES = 10;
const GZIP_EXTRA_FLAG = 0x04;
const GZIP_EXTRA = Buffer.from([8, 0, 0x4c, 0x46, 4, 0, 0, 0, 0, 0]);
/** A slice's content is far below this; a length beyond it is damage. */
const MAX_SLICE_BYTES = 256 * 1024 * 1024;

const none: Compression = {
  suffix: '',
  isIdentity: true,
  load: () => Promise.resolve(),
  compressSlice: (slice) => slice,
  reader: (onContent) => ({ push: onContent, end: () => undefined }),
};

const gzip: Compression = {
  suffix: '.gz',
  isIdentity: false,
  load: () => Promise.resolve(),
  compressSlice(slice) {
    const member = compress('gzip', slice);
    const sized = Buffer.concat([
      member.subarray(0, GZIP_HEADER_BYTES),
      GZIP_EXTRA,
      member.subarray(GZIP_HEADER_BYTES),
    ]);
    sized[3] = GZIP_EXTRA_FLAG;
    sized.writeUInt32LE(sized.length, GZIP_HEADER_BYTES + GZIP_EXTRA_BYTES - 4);
    return sized;
  },
  reader: (onContent) =>
    new SliceReader(
      onContent,
      GZIP_HEADER_BYTES + GZIP_EXTRA_BYTES,
      (head) => {
        const isSized =
          head[3] === GZIP_EXTRA_FLAG &&
          head.compare(GZIP_EXTRA, 0, 6, GZIP_HEADER_BYTES, GZIP_HEADER_BYTES + 6) === 0;
        if (!isSized) throw new Error('a gzip member does not say its size');
        return head.readUInt32LE(GZIP_HEADER_BYTES + GZIP_EXTRA_BYTES - 4);
      },
      (member) => decompress('gzip', member, MAX_SLICE_BYTES),
    ),
};

const zstd: Compression = {
  suffix: '.zst',
  isIdentity: false,
  load: () => loadCodec('zstd'),
  compressSlice(slice) {
    const frame = compress('zstd', slice);
    const size = Buffer.alloc(SIZE_FRAME_BYTES);
    size.writeUInt32LE(SIZE_FRAME_MAGIC, 0);
    size.writeUInt32LE(4, 4);
    size.writeUInt32LE(frame.length, 8);
    return Buffer.concat([size, frame]);
  },
  reader: (onContent) =>
    new SliceReader(
      onContent,
      SIZE_FRAME_BYTES,
      (head) => {
        if (head.readUInt32LE(0) !== SIZE_FRAME_MAGIC || head.readUInt32LE(4) !== 4) {
          throw new Error('a zstd frame does not say its size');
        }
        return SIZE_FRAME_BYTES + head.readUInt32LE(8);
      },
      (frame) => decompress('zstd', frame, MAX_SLICE_BYTES),
    ),
};

/** Cuts a file back into its slices, by the size that each carries in its head. */
class SliceReader implements ContentReader {
  readonly #onContent: (content: Buffer) => void;
  readonly #headBytes: number;
  /** Of the whole slice, from its head; throws where there is none. */
  readonly #sizeOf: (head: Buffer) => number;
  readonly #open: (slice: Buffer) => Buffer;
  #held: Buffer = Buffer.alloc(0);

  constructor(
    onContent: (content: Buffer) => void,
    headBytes: number,
    sizeOf: (head: Buffer) => number,
    open: (slice: Buffer) => Buffer,
  ) {
    this.#onContent = onContent;
    this.#headBytes = headBytes;
    this.#sizeOf = sizeOf;
    this.#open = open;
  }

  push(bytes: Buffer): void {
    this.#held = Buffer.concat([this.#held, bytes]);
    while (this.#held.length >= this.#headBytes) {
      const size = this.#sizeOf(this.#held);
      if (size < this.#headBytes || size > MAX_SLICE_BYTES) throw new Error('an impossible size');
      if (this.#held.length < size) return;
      this.#onContent(this.#open(this.#held.subarray(0, size)));
      this.#held = this.#held.subarray(size);
    }
  }

  end(): void {
    if (this.#held.length > 0) throw new Error('the last slice is cut off');
  }
}

/** Every compression by its name in the configuration and in claims. */
export const compressions = { none, gzip, zstd } as const;

export type CompressionName = keyof typeof compressions;

export const compressionNames = Object.keys(compressions) as CompressionName[];
