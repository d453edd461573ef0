import { SyncGroup } from '../../protocol/index.js';
import { classic, refusal } from '../group/index.js';
import { handler } from '../handler.js';

/** A member asks for its assignment, the leader brings them; answered when they are stored. */
export const syncGroup = handler(SyncGroup, async (request, { groups }) => {
  const { groupId, memberId, groupInstanceId, generationId, protocolType, protocolName } = request;
  const found = groups.of(classic, groupId, 'READ');
  const reply = await found.group?.sync({
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
  const answer = reply ?? refusal('sync', found.errorCode);
  return {
    errorCode: answer.errorCode,
    protocolType: answer.protocolType,
    protocolName: answer.protocol,
    assignment: answer.assignment,
  };
});
