import { apis, encodeRequest, Produce } from '../../protocol/index.js';
import { batchOf } from '../broker/world.js';
import { fc } from '../fast-check.js';
import { arbitraryOf } from './every-message.js';

type Chance = () => number;

/** Names that requests agree on, so that they meet what others have made. */
const NAMES = [
  ...['logs', 'logs', 'other', 'group', 'member', 'range', 'consumer', ''],
  '__consumer_offsets',
];
/** Where integers of 8 to 64 bits end, and what stands for something. */
const BORDERS = [
  ...[0, 1, -1, 2, -2, -6, 127, -128, 255, 32_767, -32_768, 65_535, 1000, 1_000_000],
  ...[2 ** 31 - 1, -(2 ** 31), 2 ** 32, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 2 ** 63, -(2 ** 63)],
];
const BYTES = [0, 1, 0x7f, 0x80, 0xfe, 0xff];
const VALUES_PER_VERSION = 6;
/** Where the version of a request stands in its frame; key, correlation id and client follow it. */
const LENGTH_BYTES = 4;
const HEADER_BYTES = 14;

const pickFrom = <T>(list: readonly T[], chance: Chance): T =>
  list[Math.floor(chance() * list.length)] as T;

/** Valid requests of every API and version, as whole frames. */
export function validFrames(chance: Chance, seed: number): Buffer[] {
  const frames: Buffer[] = [];
  for (const api of apis.values()) {
    for (let version = api.minVersion; version <= api.maxVersion; version++) {
      const values = fc.sample(arbitraryOf(api.request.shape, version), {
        numRuns: VALUES_PER_VERSION,
        seed: seed + version,
      });
      for (const value of values) {
        const body = seasoned(value, chance, api.key === Produce.key) as never;
        try {
          frames.push(Buffer.concat(encodeRequest(api, version, 7, 'fuzz', body)));
        } catch {
          // A border that this field has no room for.
        }
      }
    }
  }
  return frames;
}

/** The same value with names that exist, real batches and numbers at their borders. */
function seasoned(value: unknown, chance: Chance, isProduce: boolean): unknown {
  if (typeof value === 'string') return value.length === 22 ? value : pickFrom(NAMES, chance);
  if (typeof value === 'number') return chance() < 0.5 ? pickFrom([0, 1, 100], chance) : value;
  if (Buffer.isBuffer(value)) {
    return isProduce && chance() < 0.9 ? batchOf(['fuzz'], { codec: 'gzip' }) : value;
  }
  if (Array.isArray(value)) return value.map((one) => seasoned(one, chance, isProduce));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, seasoned(inner, chance, isProduce)]),
  );
}

/** The frame with a few things wrong; mostly its length is right, or nothing behind it is seen. */
export function mutated(frame: Buffer, chance: Chance): Buffer {
  let bytes: Buffer = Buffer.from(frame);
  for (let left = Math.floor(chance() * 4); left > 0; left--) bytes = mutatedOnce(bytes, chance);
  if (chance() < 0.98) bytes.writeInt32BE(bytes.length - LENGTH_BYTES, 0);
  return bytes;
}

function mutatedOnce(bytes: Buffer, chance: Chance): Buffer {
  // Mostly behind the header, which every request has alike.
  const from = chance() < 0.9 ? HEADER_BYTES : LENGTH_BYTES;
  const at = Math.min(bytes.length - 1, from + Math.floor(chance() * (bytes.length - from)));
  const kind = chance();
  if (kind < 0.3) bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(chance() * 8));
  else if (kind < 0.5) bytes[at] = pickFrom(BYTES, chance);
  else if (kind < 0.75) writeBorder(bytes, at, chance);
  else if (kind < 0.85) return Buffer.from(bytes.subarray(0, Math.max(at, HEADER_BYTES)));
  else {
    const piece = bytes.subarray(at, at + Math.floor(chance() * 40));
    return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
  }
  return bytes;
}

function writeBorder(bytes: Buffer, at: number, chance: Chance): void {
  const size = pickFrom([2, 4, 8], chance);
  if (at + size > bytes.length) return;
  const wide = Buffer.alloc(8);
  wide.writeBigInt64BE(BigInt.asIntN(64, BigInt(pickFrom(BORDERS, chance))));
  wide.copy(bytes, at, 8 - size);
}
