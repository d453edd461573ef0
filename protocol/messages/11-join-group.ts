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

/** Joins a group, or joins it again for the next generation. */
export const JoinGroup = api(11, 'JoinGroup', {
  versions: [0, 9],
  flexibleFrom: 6,
  request: {
    groupId: string,
    sessionTimeoutMs: int32,
    rebalanceTimeoutMs: int32.since(1).default(-1),
    memberId: string,
    groupInstanceId: string.nullable().since(5).default(null),
    protocolType: string,
    protocols: array({ name: string, metadata: bytes }),
    reason: string.nullable().since(8).default(null),
  },
  response: {
    throttleTimeMs: int32.since(2),
    errorCode: int16,
    generationId: int32.default(-1),
    protocolType: string.nullable().since(7).default(null),
    protocolName: string.nullable(7),
    leader: string,
    skipAssignment: bool.since(9),
    memberId: string,
    members: array({
      memberId: string,
      groupInstanceId: string.nullable().since(5).default(null),
      metadata: bytes,
    }),
  },
});

export type JoinGroupRequest = Read<typeof JoinGroup.request>;
export type JoinGroupRequestInput = Write<typeof JoinGroup.request>;
export type JoinGroupResponse = Read<typeof JoinGroup.response>;
export type JoinGroupResponseInput = Write<typeof JoinGroup.response>;
