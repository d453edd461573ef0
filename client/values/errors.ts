import { ClientError } from '../errors.js';

/** A value that no registered type can encode, or bytes that its type cannot restore. */
export class ValueError extends ClientError {
  override readonly name = 'ValueError';

  constructor(
    override readonly code: 'UNKNOWN_TYPE' | 'NOT_ENCODED' | 'NOT_RESTORED' | 'DUPLICATE_TYPE',
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, false, options);
  }
}
