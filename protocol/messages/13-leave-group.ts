import { api, array, int16, int32, type Read, string, type Write } from '../codec/index.js';

/** Takes members out of a group. */
export const LeaveGroup = api(13, 'LeaveGroup', {
  versions: [0, 5],
  flexibleFrom: 4,
  request: {
    groupId: string,
    memberId: string.until(2),
    members: array({
      memberId: string.since(3),
      groupInstanceId: string.nullable().since(3).default(null),
      reason: string.nullable().since(5).default(null),
    }).since(3),
  },
  response: {
    throttleTimeMs: int32.since(1),
    errorCode: int16,
    members: array({
      memberId: string.since(3),
      groupInstanceId: string.nullable().since(3),
      errorCode: int16.since(3),
    }).since(3),
  },
});

export type LeaveGroupRequest = Read<typeof LeaveGroup.request>;
export type LeaveGroupRequestInput = Write<typeof LeaveGroup.request>;
export type LeaveGroupResponse = Read<typeof LeaveGroup.response>;
export type LeaveGroupResponseInput = Write<typeof LeaveGroup.response>;
