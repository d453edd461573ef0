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

/** The cluster's id and brokers. */
export const DescribeCluster = api(60, 'DescribeCluster', {
  versions: [0, 2],
  flexibleFrom: 0,
  request: {
    includeClusterAuthorizedOperations: bool,
    endpointType: int8.since(1).default(1),
    includeFencedBrokers: bool.since(2),
  },
  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    errorMessage: string.nullable().default(null),
    endpointType: int8.since(1).default(1),
    clusterId: string,
    controllerId: int32.default(-1),
    brokers: array({
      brokerId: int32,
      host: string,
      port: int32,
      rack: string.nullable().default(null),
      isFenced: bool.since(2),
    }),
    clusterAuthorizedOperations: int32.default(-2147483648),
  },
});

export type DescribeClusterRequest = Read<typeof DescribeCluster.request>;
export type DescribeClusterRequestInput = Write<typeof DescribeCluster.request>;
export type DescribeClusterResponse = Read<typeof DescribeCluster.response>;
export type DescribeClusterResponseInput = Write<typeof DescribeCluster.response>;
