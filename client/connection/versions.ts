import {
  type AnyApi,
  ApiVersions,
  type ApiVersionsResponse,
  ErrorCode,
} from '../../protocol/index.js';

/** A range of versions of one API. */
export interface VersionRange {
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** What a broker offers, by API key. */
export type VersionTable = ReadonlyMap<number, VersionRange>;

export function versionTable(response: ApiVersionsResponse): VersionTable {
  return new Map(response.apiKeys.map((range) => [range.apiKey, range]));
}

/** The highest version both sides speak, at most `atMost`; undefined where there is none. */
export function highestCommon(
  api: AnyApi,
  offered: VersionRange | undefined,
  atMost: number = api.maxVersion,
): number | undefined {
  if (offered === undefined) return undefined;
  const version = Math.min(api.maxVersion, offered.maxVersion, atMost);
  return version >= Math.max(api.minVersion, offered.minVersion) ? version : undefined;
}

/**
 * A broker that does not know our version of ApiVersions answers in version 0, with an error and
 * the versions it does know (KIP-511; brokers before 2.4 list none).
 */
export function isVersionZeroAnswer(frame: Buffer): boolean {
  const correlationIdBytes = 4;
  return (
    frame.length >= correlationIdBytes + 2 &&
    frame.readInt16BE(correlationIdBytes) === ErrorCode.UNSUPPORTED_VERSION
  );
}

/** The version to ask in again after such an answer. */
export function fallbackVersion(response: ApiVersionsResponse): number {
  const own = response.apiKeys.find((range) => range.apiKey === ApiVersions.key);
  return highestCommon(ApiVersions, own) ?? 0;
}
