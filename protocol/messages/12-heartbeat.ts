import { api, int16, int32, type Read, string, type Write } from '../codec/index.js';

/** Keeps a member alive and tells it of a rebalance. */
export const Heartbeat = api(12, 'Heartbeat', {
  versions: [0, 4],
  flexibleFrom: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: string.nullable().since(3).default(null),
  },
  response: { throttleTimeMs: int32.since(1), errorCode: int16 },
});

export type HeartbeatRequest = Read<typeof Heartbeat.request>;
export type HeartbeatRequestInput = Write<typeof Heartbeat.request>;
export type HeartbeatResponse = Read<typeof Heartbeat.response>;
export type HeartbeatResponseInput = Write<typeof Heartbeat.response>;
