export { type AnyApi, type Api, api } from './api.js';
export { ProtocolError, type ProtocolErrorCode } from './error.js';
export {
  array,
  bool,
  bytes,
  type FieldSpec,
  int8,
  int16,
  int32,
  int64,
  records,
  type Shape,
  string,
  struct,
  uint32,
  uuid,
  type WireType,
} from './field.js';
export { ZERO_UUID } from './reader.js';
export { message, type Read, type Schema, sharedWriter, type Write } from './schema.js';
