import { api, array, int8, int16, int32, type Read, string, type Write } from '../codec/index.js';

/** Which broker coordinates a group (key type 0) or a transactional id (1). */
export const FindCoordinator = api(10, 'FindCoordinator', {
  versions: [0, 6],
  flexibleFrom: 3,
  request: {
    key: string.until(3),
    keyType: int8.since(1).default(0),
    coordinatorKeys: array(string).since(4),
  },
  response: {
    throttleTimeMs: int32.since(1),
    errorCode: int16.until(3),
    errorMessage: string.nullable().since(1).until(3),
    nodeId: int32.until(3),
    host: string.until(3),
    port: int32.until(3),
    coordinators: array({
      key: string.since(4),
      nodeId: int32.since(4),
      host: string.since(4),
      port: int32.since(4),
      errorCode: int16.since(4),
      errorMessage: string.nullable().since(4),
    }).since(4),
  },
});

export type FindCoordinatorRequest = Read<typeof FindCoordinator.request>;
export type FindCoordinatorRequestInput = Write<typeof FindCoordinator.request>;
export type FindCoordinatorResponse = Read<typeof FindCoordinator.response>;
export type FindCoordinatorResponseInput = Write<typeof FindCoordinator.response>;
