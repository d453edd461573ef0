import { ProtocolError, type Schema } from './codec/index.js';

/**
 * A message with an int16 before it: its version, or for keys of `__consumer_offsets` the kind of
 * the key, handed in as `prefix`.
 */
export function writePrefixed<R, W>(
  schema: Schema<R, W>,
  value: W,
  version: number,
  prefix: number = version,
): Buffer {
  const head = Buffer.alloc(2);
  head.writeInt16BE(prefix);
  return Buffer.concat([head, ...schema.write(value, version)]);
}

/** The int16 before a message. */
export function prefixOf(bytes: Buffer): number {
  if (bytes.length < 2) {
    throw new ProtocolError('TRUNCATED', 'a version of two bytes is missing');
  }
  return bytes.readInt16BE(0);
}

/**
 * Reads a message whose version precedes it. A later version than we know is read as the last we
 * know: such messages only ever gain fields at their end (the consumer protocol's own rule).
 */
export function readPrefixed<R, W>(schema: Schema<R, W>, bytes: Buffer): R {
  const version = prefixOf(bytes);
  return schema.read(bytes, 2, Math.min(version, schema.maxVersion));
}
