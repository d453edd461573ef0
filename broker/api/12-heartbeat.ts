import { Heartbeat } from '../../protocol/index.js';
import { handler } from '../handler.js';

/** A member is alive; it hears whether it has to join again. */
export const heartbeat = handler(Heartbeat, async (request, { services }) => {
  const { groupId, memberId, groupInstanceId, generationId: generation } = request;
  const claim = { memberId, groupInstanceId, generation };
  return { errorCode: await services.groups.heartbeat(groupId, claim) };
});
