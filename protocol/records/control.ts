import { BatchWriter } from './batch-writer.js';
import { RecordsError } from './errors.js';

/** What a control record says (KIP-98, KIP-595). */
export type ControlType = 'abort' | 'commit' | 'leaderChange' | 'unknown';

const TYPES: readonly ControlType[] = ['abort', 'commit', 'leaderChange'];
const KEY_BYTES = 4;
const MARKER_VALUE_BYTES = 6;

/** The type in the key of a control record; throws RecordsError where the key is none. */
export function readControlType(key: Buffer | null): ControlType {
  if (key === null || key.length < KEY_BYTES) {
    throw new RecordsError('MALFORMED', 'control record without a type');
  }
  return TYPES[key.readInt16BE(2)] ?? 'unknown';
}

/** A batch that ends a producer's transaction: one EndTxnMarker (KIP-98). */
export function encodeEndTransactionMarker(marker: {
  type: 'abort' | 'commit';
  timestamp: number;
  producerId: number;
  producerEpoch: number;
  coordinatorEpoch: number;
}): Buffer {
  const key = Buffer.alloc(KEY_BYTES);
  key.writeInt16BE(TYPES.indexOf(marker.type), 2);
  const value = Buffer.alloc(MARKER_VALUE_BYTES);
  value.writeInt32BE(marker.coordinatorEpoch, 2);
  const writer = new BatchWriter(128);
  writer.tryAppend(marker.timestamp, key, 0, key.length, value, 0, value.length, null);
  return writer.close({
    codec: 'none',
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    baseSequence: -1,
    transactional: true,
    control: true,
  });
}
