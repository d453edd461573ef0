import {
  api,
  array,
  bool,
  int16,
  int32,
  int64,
  type Read,
  string,
  type Write,
} from '../codec/index.js';

/** Which versions of which APIs the broker speaks. */
export const ApiVersions = api(18, 'ApiVersions', {
  versions: [0, 4],
  flexibleFrom: 3,
  request: { clientSoftwareName: string.since(3), clientSoftwareVersion: string.since(3) },
  response: {
    errorCode: int16,
    apiKeys: array({ apiKey: int16, minVersion: int16, maxVersion: int16 }),
    throttleTimeMs: int32.since(1),
    supportedFeatures: array({
      name: string.since(3),
      minVersion: int16.since(3),
      maxVersion: int16.since(3),
    })
      .since(3)
      .tagged(0),
    finalizedFeaturesEpoch: int64.since(3).tagged(1).default(-1),
    finalizedFeatures: array({
      name: string.since(3),
      maxVersionLevel: int16.since(3),
      minVersionLevel: int16.since(3),
    })
      .since(3)
      .tagged(2),
    zkMigrationReady: bool.since(3).tagged(3),
  },
});

export type ApiVersionsRequest = Read<typeof ApiVersions.request>;
export type ApiVersionsRequestInput = Write<typeof ApiVersions.request>;
export type ApiVersionsResponse = Read<typeof ApiVersions.response>;
export type ApiVersionsResponseInput = Write<typeof ApiVersions.response>;
