import { createGunzip } from 'node:zlib';
import { compress, decompress, loadCodec } from '../../protocol/records/index.js';

/** How a file's content is compressed: slice by slice, each one a gzip member or zstd frame. */
export interface Compression {
  /** Behind the format's extension. */
  readonly suffix: '' | '.gz' | '.zst';
  /** Must be awaited before the first slice. */
  load(): Promise<void>;
  /** The slice compressed; `slice` itself where nothing is to be done. */
  compressSlice(slice: Buffer): Buffer;
  /** Takes a file back apart: hands its content over in order. */
  reader(onContent: (content: Buffer) => void): ContentReader;
}

/** Both reject where the bytes are no whole file of this compression. */
export interface ContentReader {
  push(bytes: Buffer): Promise<void>;
  end(): Promise<void>;
}

/** In front of each frame stands a skippable one with its size, as pzstd writes it. */
const SIZE_FRAME_MAGIC = 0x184d2a50;
const SIZE_FRAME_BYTES = 12;
/** A slice's content is far below this; a length beyond it is damage. */
const MAX_FRAME_CONTENT_BYTES = 256 * 1024 * 1024;

const none: Compression = {
  suffix: '',
  load: () => Promise.resolve(),
  compressSlice: (slice) => slice,
  reader: (onContent) => ({
    push(bytes) {
      onContent(bytes);
      return Promise.resolve();
    },
    end: () => Promise.resolve(),
  }),
};

const gzip: Compression = {
  suffix: '.gz',
  load: () => Promise.resolve(),
  compressSlice: (slice) => compress('gzip', slice),
  reader(onContent) {
    const gunzip = createGunzip();
    gunzip.on('data', onContent);
    const ended = new Promise<void>((resolve, reject) => {
      gunzip.on('end', resolve);
      gunzip.on('error', reject);
    });
    // The one who awaits `push` or `end` hears of it.
    ended.catch(() => undefined);
    return {
      push: (bytes) =>
        new Promise((resolve, reject) => {
          ended.catch(reject);
          // The stream keeps what it is given beyond this call.
          gunzip.write(Buffer.from(bytes), (error) => (error ? reject(error) : resolve()));
        }),
      end() {
        gunzip.end();
        return ended;
      },
    };
  },
};

const zstd: Compression = {
  suffix: '.zst',
  load: () => loadCodec('zstd'),
  compressSlice(slice) {
    const frame = compress('zstd', slice);
    const size = Buffer.alloc(SIZE_FRAME_BYTES);
    size.writeUInt32LE(SIZE_FRAME_MAGIC, 0);
    size.writeUInt32LE(4, 4);
    size.writeUInt32LE(frame.length, 8);
    return Buffer.concat([size, frame]);
  },
  reader: zstdReader,
};

function zstdReader(onContent: (content: Buffer) => void): ContentReader {
  let held = Buffer.alloc(0);
  return {
    async push(bytes) {
      held = Buffer.concat([held, bytes]);
      while (held.length >= SIZE_FRAME_BYTES) {
        if (held.readUInt32LE(0) !== SIZE_FRAME_MAGIC || held.readUInt32LE(4) !== 4) {
          throw new Error('there is no frame size where one must be');
        }
        const end = SIZE_FRAME_BYTES + held.readUInt32LE(8);
        if (held.length < end) return;
        const frame = held.subarray(SIZE_FRAME_BYTES, end);
        onContent(decompress('zstd', frame, MAX_FRAME_CONTENT_BYTES));
        held = held.subarray(end);
      }
    },
    async end() {
      if (held.length > 0) throw new Error('the last frame is cut off');
    },
  };
}

/** Every compression by its name in the configuration. */
export const compressions: Readonly<Record<'none' | 'gzip' | 'zstd', Compression>> = {
  none,
  gzip,
  zstd,
};
