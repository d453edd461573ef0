import { SyncGroup } from '../../protocol/index.js';
import { handler } from '../handler.js';

/** A member asks for its assignment, the leader brings them; answered when they are stored. */
export const syncGroup = handler(SyncGroup, async (request, { services }) => {
  const { groupId, memberId, groupInstanceId, generationId, protocolType, protocolName } = request;
  const reply = await services.groups.sync(groupId, {
    memberId,
    groupInstanceId,
    generation: generationId,
    protocolType,
    protocol: protocolName,
    // The group keeps them for long: it must not hold on to the whole frame.
    assignments: new Map(
      request.assignments.map((one) => [one.memberId, Buffer.from(one.assignment)]),
    ),
  });
  const { errorCode, assignment } = reply;
  return {
    errorCode,
    protocolType: reply.protocolType,
    protocolName: reply.protocol,
    assignment,
  };
});
