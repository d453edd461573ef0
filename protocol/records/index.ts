export { LONG_MAX, readInt64, writeInt64 } from '../int64.js';
export {
  type BatchHeader,
  batchesOf,
  type LocatedBatch,
  readBatchHeader,
} from './batch-header.js';
export { BatchWriter, type CloseOptions } from './batch-writer.js';
export {
  CODECS,
  type Codec,
  compress,
  decompress,
  isCodecLoaded,
  loadCodec,
} from './codecs/index.js';
export { type ControlType, encodeEndTransactionMarker, readControlType } from './control.js';
export { crc32 } from './crc32.js';
export { crc32c } from './crc32c.js';
export { RecordsError, type RecordsErrorCode } from './errors.js';
export * from './format.js';
export { encodeHeaders, type Header, type ReadHeader } from './headers.js';
export { RecordCursor } from './record-cursor.js';
export { stampBatch, stampLogAppendTime, stampMaxTimestamp, stampProducer } from './stamp.js';
export { type RecordTimes, type VerifyOptions, verifyBatch, verifyRecords } from './verify.js';
