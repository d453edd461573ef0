import { Heartbeat } from '../../protocol/index.js';
import { classic } from '../group/index.js';
import { handler } from '../handler.js';

/** A member is alive; it hears whether it has to join again. */
export const heartbeat = handler(Heartbeat, async (request, { groups }) => {
  const { groupId, memberId, groupInstanceId, generationId: generation } = request;
  const claim = { memberId, groupInstanceId, generation };
  const { group, errorCode } = groups.of(classic, groupId, 'READ');
  return { errorCode: group === undefined ? errorCode : await group.heartbeat(claim) };
});
