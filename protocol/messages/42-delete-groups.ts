import { api, array, int16, int32, type Read, string, type Write } from '../codec/index.js';

/** Deletes empty groups. */
export const DeleteGroups = api(42, 'DeleteGroups', {
  versions: [0, 2],
  flexibleFrom: 2,
  request: { groupsNames: array(string) },
  response: {
    throttleTimeMs: int32.default(0),
    results: array({ groupId: string, errorCode: int16 }),
  },
});

export type DeleteGroupsRequest = Read<typeof DeleteGroups.request>;
export type DeleteGroupsRequestInput = Write<typeof DeleteGroups.request>;
export type DeleteGroupsResponse = Read<typeof DeleteGroups.response>;
export type DeleteGroupsResponseInput = Write<typeof DeleteGroups.response>;
