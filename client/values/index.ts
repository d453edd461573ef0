export { ValueError } from './errors.js';
export { FileValue, fileType } from './file-value.js';
export {
  type AnyValueType,
  bytesType,
  type EncodedValue,
  jsonClass,
  jsonType,
  stringType,
  type ValueHeaders,
  type ValueType,
} from './value-type.js';
export { CONTENT_TYPE, type Restored, ValueTypes } from './value-types.js';
