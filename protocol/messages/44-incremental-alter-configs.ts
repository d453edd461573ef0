import {
  api,
  array,
  bool,
  int8,
  int16,
  int32,
  type Read,
  string,
  type Write,
} from '../codec/index.js';

/** Sets, deletes, appends to and subtracts from settings (KIP-339). */
export const IncrementalAlterConfigs = api(44, 'IncrementalAlterConfigs', {
  versions: [0, 1],
  flexibleFrom: 1,
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configs: array({ name: string, configOperation: int8, value: string.nullable() }),
    }),
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32.default(0),
    responses: array({
      errorCode: int16,
      errorMessage: string.nullable(),
      resourceType: int8,
      resourceName: string,
    }),
  },
});

export type IncrementalAlterConfigsRequest = Read<typeof IncrementalAlterConfigs.request>;
export type IncrementalAlterConfigsRequestInput = Write<typeof IncrementalAlterConfigs.request>;
export type IncrementalAlterConfigsResponse = Read<typeof IncrementalAlterConfigs.response>;
export type IncrementalAlterConfigsResponseInput = Write<typeof IncrementalAlterConfigs.response>;
