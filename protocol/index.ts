export {
  type AnyApi,
  type Api,
  ProtocolError,
  type ProtocolErrorCode,
  type Read,
  type Schema,
  type Write,
  ZERO_UUID,
} from './codec/index.js';
export { ErrorCode, type ErrorName, errorName, isRetriable } from './errors.js';
export { FrameMemory, FrameSplitter } from './frame-splitter.js';
export {
  correlationIdOf,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  type RequestFrame,
} from './frames.js';
export { LONG_MAX } from './int64.js';
export * from './messages/index.js';
export { prefixOf, readPrefixed, writePrefixed } from './versioned.js';
