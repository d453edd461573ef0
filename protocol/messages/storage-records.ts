import { array, int16, int32, int64, message, type Read, uint32 } from '../codec/index.js';

/** A `.snapshot` file: an int16 version precedes it; `crc` covers what follows the field. */
export const ProducerSnapshot = message(
  'ProducerSnapshot',
  { versions: [1, 1], flexibleFrom: 'none' },
  {
    crc: uint32,
    producerEntries: array({
      producerId: int64,
      epoch: int16,
      lastSequence: int32,
      lastOffset: int64,
      offsetDelta: int32,
      timestamp: int64,
      coordinatorEpoch: int32,
      currentTxnFirstOffset: int64,
    }),
  },
);
export type ProducerSnapshot = Read<typeof ProducerSnapshot>;

/** An entry of a `.txnindex` file; an int16 version precedes it. */
export const AbortedTxn = message(
  'AbortedTxn',
  { versions: [0, 0], flexibleFrom: 'none' },
  { producerId: int64, firstOffset: int64, lastOffset: int64, lastStableOffset: int64 },
);
export type AbortedTxn = Read<typeof AbortedTxn>;

/** Value of the control record that ends a transaction; an int16 version precedes it. */
export const EndTxnMarker = message(
  'EndTxnMarker',
  { versions: [0, 0], flexibleFrom: 'none' },
  { coordinatorEpoch: int32 },
);
export type EndTxnMarker = Read<typeof EndTxnMarker>;
