/** Layout of a record batch of magic 2 (KIP-98): positions of the header's fields, big-endian. */
export const BASE_OFFSET_AT = 0;
export const BATCH_LENGTH_AT = 8;
export const LEADER_EPOCH_AT = 12;
export const MAGIC_AT = 16;
export const CRC_AT = 17;
export const ATTRIBUTES_AT = 21;
export const LAST_OFFSET_DELTA_AT = 23;
export const BASE_TIMESTAMP_AT = 27;
export const MAX_TIMESTAMP_AT = 35;
export const PRODUCER_ID_AT = 43;
export const PRODUCER_EPOCH_AT = 51;
export const BASE_SEQUENCE_AT = 53;
export const RECORD_COUNT_AT = 57;

/** Bytes of a batch's header; the records follow. */
export const BATCH_HEADER_BYTES = 61;
/** Bytes of base offset and batch length, which the batch length does not count. */
export const LOG_OVERHEAD_BYTES = 12;
/** The only format version that is written and read. */
export const MAGIC = 2;

/** Attribute bits. */
export const CODEC_MASK = 0x07;
export const LOG_APPEND_TIME_BIT = 0x08;
export const TRANSACTIONAL_BIT = 0x10;
export const CONTROL_BIT = 0x20;

/** Leader epoch before a leader has stamped the batch. */
export const NO_LEADER_EPOCH = -1;

/** A record with null key, null value, no headers and deltas of zero: no record is smaller. */
export const MIN_RECORD_BYTES = 7;
