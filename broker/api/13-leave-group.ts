import { ErrorCode, LeaveGroup } from '../../protocol/index.js';
import { classic, refusal } from '../group/index.js';
import { handler } from '../handler.js';

/** Since this version several members leave at once (KIP-345). */
const FIRST_WITH_MEMBERS = 3;

/** Members leave their group. */
export const leaveGroup = handler(LeaveGroup, async (request, { groups, apiVersion }) => {
  const { groupId, memberId } = request;
  const isOne = apiVersion < FIRST_WITH_MEMBERS;
  const leavers = isOne ? [{ memberId, groupInstanceId: null }] : request.members;
  const found = groups.of(classic, groupId, 'READ');
  const left = await found.group?.leave(leavers);
  const { errorCode, memberErrors } = left ?? refusal('leave', found.errorCode);
  if (isOne) {
    const [memberError = ErrorCode.NONE] = memberErrors;
    return { errorCode: errorCode === ErrorCode.NONE ? memberError : errorCode };
  }
  const members = memberErrors.flatMap((memberError, index) => {
    const member = request.members[index];
    if (member === undefined) return [];
    const { groupInstanceId } = member;
    return { memberId: member.memberId, groupInstanceId, errorCode: memberError };
  });
  return { errorCode, members };
});
