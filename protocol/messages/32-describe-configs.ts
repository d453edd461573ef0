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

/** Settings of topics and brokers. */
export const DescribeConfigs = api(32, 'DescribeConfigs', {
  versions: [1, 4],
  flexibleFrom: 4,
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configurationKeys: array(string).nullable(),
    }),
    includeSynonyms: bool.since(1),
    includeDocumentation: bool.since(3),
  },
  response: {
    throttleTimeMs: int32.default(0),
    results: array({
      errorCode: int16,
      errorMessage: string.nullable(),
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        value: string.nullable(),
        readOnly: bool,
        configSource: int8.since(1).default(-1),
        isSensitive: bool,
        synonyms: array({
          name: string.since(1),
          value: string.nullable().since(1),
          source: int8.since(1),
        }).since(1),
        configType: int8.since(3).default(0),
        documentation: string.nullable().since(3),
      }),
    }),
  },
});

export type DescribeConfigsRequest = Read<typeof DescribeConfigs.request>;
export type DescribeConfigsRequestInput = Write<typeof DescribeConfigs.request>;
export type DescribeConfigsResponse = Read<typeof DescribeConfigs.response>;
export type DescribeConfigsResponseInput = Write<typeof DescribeConfigs.response>;
