import { api, array, bytes, int16, int32, type Read, string, type Write } from '../codec/index.js';

/** Hands the leader's assignment to every member. */
export const SyncGroup = api(14, 'SyncGroup', {
  versions: [0, 5],
  flexibleFrom: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: string.nullable().since(3).default(null),
    protocolType: string.nullable().since(5).default(null),
    protocolName: string.nullable().since(5).default(null),
    assignments: array({ memberId: string, assignment: bytes }),
  },
  response: {
    throttleTimeMs: int32.since(1),
    errorCode: int16,
    protocolType: string.nullable().since(5).default(null),
    protocolName: string.nullable().since(5).default(null),
    assignment: bytes,
  },
});

export type SyncGroupRequest = Read<typeof SyncGroup.request>;
export type SyncGroupRequestInput = Write<typeof SyncGroup.request>;
export type SyncGroupResponse = Read<typeof SyncGroup.response>;
export type SyncGroupResponseInput = Write<typeof SyncGroup.response>;
