import {
  api,
  array,
  bool,
  bytes,
  int16,
  int32,
  type Read,
  string,
  type Write,
} from '../codec/index.js';

/** State and members of groups. */
export const DescribeGroups = api(15, 'DescribeGroups', {
  versions: [0, 6],
  flexibleFrom: 5,
  request: { groups: array(string), includeAuthorizedOperations: bool.since(3) },
  response: {
    throttleTimeMs: int32.since(1),
    groups: array({
      errorCode: int16,
      errorMessage: string.nullable().since(6).default(null),
      groupId: string,
      groupState: string,
      protocolType: string,
      protocolData: string,
      members: array({
        memberId: string,
        groupInstanceId: string.nullable().since(4).default(null),
        clientId: string,
        clientHost: string,
        memberMetadata: bytes,
        memberAssignment: bytes,
      }),
      authorizedOperations: int32.since(3).default(-2147483648),
    }),
  },
});

export type DescribeGroupsRequest = Read<typeof DescribeGroups.request>;
export type DescribeGroupsRequestInput = Write<typeof DescribeGroups.request>;
export type DescribeGroupsResponse = Read<typeof DescribeGroups.response>;
export type DescribeGroupsResponseInput = Write<typeof DescribeGroups.response>;
