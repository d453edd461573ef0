import { api, array, int16, int32, type Read, string, type Write } from '../codec/index.js';

/** The groups this broker coordinates. */
export const ListGroups = api(16, 'ListGroups', {
  versions: [0, 5],
  flexibleFrom: 3,
  request: { statesFilter: array(string).since(4), typesFilter: array(string).since(5) },
  response: {
    throttleTimeMs: int32.since(1),
    errorCode: int16,
    groups: array({
      groupId: string,
      protocolType: string,
      groupState: string.since(4),
      groupType: string.since(5),
    }),
  },
});

export type ListGroupsRequest = Read<typeof ListGroups.request>;
export type ListGroupsRequestInput = Write<typeof ListGroups.request>;
export type ListGroupsResponse = Read<typeof ListGroups.response>;
export type ListGroupsResponseInput = Write<typeof ListGroups.response>;
