export { Connection, type ConnectionOptions, type RequestOptions } from './connection.js';
export {
  ClientError,
  ConnectError,
  ConnectionClosedError,
  RequestTimeoutError,
  UnsupportedVersionError,
} from './errors.js';
