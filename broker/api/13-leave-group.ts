import { ErrorCode, LeaveGroup } from '../../protocol/index.js';
import { handler } from '../handler.js';

/** Since this version several members leave at once (KIP-345). */
const FIRST_WITH_MEMBERS = 3;

/** Members leave their group. */
export const leaveGroup = handler(LeaveGroup, async (request, { services, apiVersion }) => {
  const { groupId, memberId } = request;
  if (apiVersion < FIRST_WITH_MEMBERS) {
    const reply = await services.groups.leave(groupId, [{ memberId, groupInstanceId: null }]);
    const [memberError = ErrorCode.NONE] = reply.memberErrors;
    return { errorCode: reply.errorCode === ErrorCode.NONE ? memberError : reply.errorCode };
  }
  const { errorCode, memberErrors } = await services.groups.leave(groupId, request.members);
  const members = memberErrors.flatMap((memberError, index) => {
    const member = request.members[index];
    if (member === undefined) return [];
    const { groupInstanceId } = member;
    return { memberId: member.memberId, groupInstanceId, errorCode: memberError };
  });
  return { errorCode, members };
});
