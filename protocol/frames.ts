import { type AnyApi, type Api, sharedWriter } from './codec/index.js';
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
  sharedWriter.beginFrame();
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
  const { value, end: bodyOffset } = RequestHeader.readPrefix(frame, 0, isFlexible(frame) ? 2 : 1);
  const { requestApiKey: apiKey, requestApiVersion: apiVersion, correlationId, clientId } = value;
  return { apiKey, apiVersion, correlationId, clientId, bodyOffset };
}

/** Whether a frame is a request of a version that is known and has tagged fields. */
function isFlexible(frame: Buffer): boolean {
  if (frame.length < 4) return false;
  const api = apis.get(frame.readInt16BE(0));
  const version = frame.readInt16BE(2);
  return api !== undefined && version >= api.flexibleFrom && version <= api.maxVersion;
}

/** A whole response with its length before it. */
export function encodeResponse<Q, P, QI, PI>(
  api: Api<Q, P, QI, PI>,
  version: number,
  correlationId: number,
  body: PI,
): Uint8Array[] {
  sharedWriter.beginFrame();
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
