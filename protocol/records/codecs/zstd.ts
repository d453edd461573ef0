import * as zlib from 'node:zlib';
import { RecordsError } from '../errors.js';
import { type Compressor, malformed, tooLarge } from './codec.js';
import { zstdFrames } from './zstd-bounds.js';

/** One frame at a time, both ways. */
interface ZstdEngine {
  compress(input: Buffer, level: number | undefined): Uint8Array;
  /** Fails where the content is larger than `maxBytes`. */
  decompress(frame: Buffer, maxBytes: number): Uint8Array;
}

/** What node:zlib has from 22.15 and 23.8 on; the types of the oldest Node do not know it. */
interface NodeZstd {
  zstdCompressSync(input: Buffer, options?: { params: Record<number, number> }): Buffer;
  zstdDecompressSync(input: Buffer, options: { maxOutputLength: number }): Buffer;
  constants: { ZSTD_c_compressionLevel: number };
}

/** zstd's own default. */
const DEFAULT_LEVEL = 3;

let engine: ZstdEngine | undefined = nodeEngine();
let loading: Promise<void> | undefined;

function nodeEngine(): ZstdEngine | undefined {
  if (!('zstdCompressSync' in zlib)) return undefined;
  const zstd: NodeZstd = zlib as unknown as NodeZstd;
  const levelParameter = zstd.constants.ZSTD_c_compressionLevel;
  return {
    compress: (input, level) =>
      zstd.zstdCompressSync(input, { params: { [levelParameter]: level ?? DEFAULT_LEVEL } }),
    decompress: (frame, maxBytes) =>
      zstd.zstdDecompressSync(frame, { maxOutputLength: Math.max(1, maxBytes) }),
  };
}

async function wasmEngine(): Promise<ZstdEngine> {
  const { init, compress, decompress } = await import('@bokuweb/zstd-wasm');
  await init();
  return {
    compress: (input, level) => compress(input, level ?? DEFAULT_LEVEL),
    // The size is taken from the frame where it has one; it has been checked then.
    decompress: (frame, maxBytes) => decompress(frame, { defaultHeapSize: maxBytes }),
  };
}

function loadedEngine(): ZstdEngine {
  if (engine !== undefined) return engine;
  throw new RecordsError(
    'CODEC_NOT_LOADED',
    "zstd is not loaded yet: await loadCodec('zstd') before the first batch",
  );
}

/** Zstandard: node:zlib where the running Node has it, else WebAssembly, which loads first. */
export const zstd: Compressor = {
  isLoaded: () => engine !== undefined,

  load() {
    loading ??= engine === undefined ? wasmEngine().then(setEngine) : Promise.resolve();
    return loading;
  },

  compress: (input, level) => asBuffer(loadedEngine().compress(input, level)),

  decompress(input, maxBytes) {
    const { decompress } = loadedEngine();
    const parts: Uint8Array[] = [];
    let left = maxBytes;
    for (const frame of zstdFrames(input)) {
      const bound = Math.min(frame.maxContentBytes, left);
      const isCut = bound < frame.maxContentBytes;
      if (isCut && (frame.isExact || bound === 0)) throw tooLarge('zstd', maxBytes);
      try {
        const part = decompress(input.subarray(frame.start, frame.end), bound);
        parts.push(part);
        left -= part.length;
      } catch (error) {
        if (isCut) throw tooLarge('zstd', maxBytes);
        throw malformed('zstd', error instanceof Error ? error.message : String(error), error);
      }
    }
    return parts.length === 1 ? asBuffer(parts[0] as Uint8Array) : Buffer.concat(parts);
  },
};

function setEngine(loadedEngine: ZstdEngine): void {
  engine = loadedEngine;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
