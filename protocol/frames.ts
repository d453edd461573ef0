import { type AnyApi, type Api, ProtocolError, sharedWriter } from './codec/index.js';
import { apis, RequestHeader, ResponseHeader } from './messages/index.js';

/** The key of ApiVersions, the one API that breaks the rules: see `responseHeaderVersion`. */
const API_VERSIONS_KEY = 18;

/** What precedes a request's body. */
export interface RequestFrame {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  /** Where the body starts in the frame. */
  readonly bodyOffset: number;
}

/**
 * Flexible versions have response header 1, others 0. ApiVersions has 0 always: a client that asks
 * in a version the broker lacks must be able to read the answer (KIP-511).
 */
function responseHeaderVersion(api: AnyApi, version: number): number {
  return version >= api.flexibleFrom && api.key !== API_VERSIONS_KEY ? 1 : 0;
}

/** A whole request with its length before it. */
export function encodeRequest<Q, P, QI, PI>(
  api: Api<Q, P, QI, PI>,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: QI,
): Uint8Array[] {
  sharedWriter.begin();
  sharedWriter.int32(0);
  RequestHeader.writeInto(
    sharedWriter,
    { requestApiKey: api.key, requestApiVersion: version, correlationId, clientId },
    version >= api.flexibleFrom ? 2 : 1,
  );
  api.request.writeInto(sharedWriter, body, version);
  return sharedWriter.finishFrame();
}

/**
 * Reads a request's header from a frame (without its length). For APIs and versions we do not know
 * only the fixed part is read, which all versions share; the caller must not read such a body.
 */
export function decodeRequestHeader(frame: Buffer): RequestFrame {
  const fixed = RequestHeader.readPrefix(frame, 0, 1);
  const { requestApiKey: apiKey, requestApiVersion: apiVersion, correlationId } = fixed.value;
  const api = apis.get(apiKey);
  const flexible =
    api !== undefined && apiVersion >= api.flexibleFrom && apiVersion <= api.maxVersion;
  const bodyOffset = flexible ? RequestHeader.readPrefix(frame, 0, 2).end : fixed.end;
  return { apiKey, apiVersion, correlationId, clientId: fixed.value.clientId, bodyOffset };
}

/** A whole response with its length before it. */
export function encodeResponse<Q, P, QI, PI>(
  api: Api<Q, P, QI, PI>,
  version: number,
  correlationId: number,
  body: PI,
): Uint8Array[] {
  sharedWriter.begin();
  sharedWriter.int32(0);
  const headerVersion = responseHeaderVersion(api, version);
  ResponseHeader.writeInto(sharedWriter, { correlationId }, headerVersion);
  api.response.writeInto(sharedWriter, body, version);
  return sharedWriter.finishFrame();
}

/** The correlation id of a response frame, which says which request and version it answers. */
export function correlationIdOf(frame: Buffer): number {
  return ResponseHeader.read(frame, 0, 0).correlationId;
}

/** Reads a response from a frame (without its length). */
export function decodeResponse<Q, P, QI, PI>(
  api: Api<Q, P, QI, PI>,
  version: number,
  frame: Buffer,
): { correlationId: number; body: P } {
  const headerVersion = responseHeaderVersion(api, version);
  const header = ResponseHeader.readPrefix(frame, 0, headerVersion);
  const body = api.response.read(frame, header.end, version);
  return { correlationId: header.value.correlationId, body };
}

/** Memory taken for a frame before its bytes arrive; beyond it grows with what has arrived. */
const MAX_EAGER_BYTES = 1024 * 1024;

/**
 * Cuts a byte stream into frames (int32 length, then the bytes). Each frame is copied once, out of
 * the receive buffer into memory of its own, so it may outlive the call.
 */
export class FrameSplitter {
  private readonly lengthBytes = Buffer.alloc(4);
  /** Bytes of the length that have arrived, 0 to 4. */
  private lengthFilled = 0;
  private frame: Buffer | undefined;
  private frameSize = 0;
  private frameFilled = 0;

  /** @param maxBytes the largest frame that is accepted (`socket.request.max.bytes`) */
  constructor(private readonly maxBytes: number) {}

  /** Takes in received bytes. Throws ProtocolError (TOO_LARGE, MALFORMED): close the connection. */
  push(bytes: Buffer, onFrame: (frame: Buffer) => void): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.frame === undefined) {
        at = this.takeLength(bytes, at);
        if (this.lengthFilled < 4) return;
        this.startFrame();
      }
      at = this.takeBody(bytes, at);
      if (this.frame !== undefined && this.frameFilled === this.frameSize) {
        const frame = this.frame;
        this.frame = undefined;
        this.lengthFilled = 0;
        onFrame(frame);
      }
    }
  }

  private takeLength(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + 4 - this.lengthFilled);
    bytes.copy(this.lengthBytes, this.lengthFilled, at, end);
    this.lengthFilled += end - at;
    return end;
  }

  private startFrame(): void {
    const size = this.lengthBytes.readInt32BE(0);
    if (size < 0) throw new ProtocolError('MALFORMED', `a frame cannot have ${size} bytes`);
    if (size > this.maxBytes) {
      const limit = `${this.maxBytes} bytes are accepted`;
      throw new ProtocolError('TOO_LARGE', `a frame of ${size} bytes was announced, ${limit}`);
    }
    this.frameSize = size;
    this.frameFilled = 0;
    this.frame = Buffer.allocUnsafeSlow(Math.min(size, MAX_EAGER_BYTES));
  }

  private takeBody(bytes: Buffer, at: number): number {
    let frame = this.frame as Buffer;
    const end = Math.min(bytes.length, at + this.frameSize - this.frameFilled);
    const filled = this.frameFilled + end - at;
    if (filled > frame.length) {
      const larger = Math.min(this.frameSize, Math.max(filled, frame.length * 2));
      const grown = Buffer.allocUnsafeSlow(larger);
      frame.copy(grown, 0, 0, this.frameFilled);
      this.frame = frame = grown;
    }
    bytes.copy(frame, this.frameFilled, at, end);
    this.frameFilled = filled;
    return end;
  }
}
