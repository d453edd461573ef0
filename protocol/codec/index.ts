export { type AnyApi, type Api, api } from './api.js';
export { ProtocolError, type ProtocolErrorCode } from './error.js';
export {
  array,
  bool,
  bytes,
  Field,
  type FieldSpec,
  float64,
  int8,
  int16,
  int32,
  int64,
  records,
  type Shape,
  string,
  struct,
  uint16,
  uint32,
  uuid,
  type WireType,
} from './field.js';
export { LONG_MAX, Reader, ZERO_UUID } from './reader.js';
export { message, type Read, type Schema, sharedWriter, type Write } from './schema.js';
export { Writer } from './writer.js';
