import { JoinGroup } from '../../protocol/index.js';
import { classic, refusal } from '../group/index.js';
import { handler } from '../handler.js';

/** KIP-394: a new member is first told its id. */
const FIRST_WITH_KNOWN_MEMBER_ID = 4;
/** Before it the protocol's name may not be null. */
const FIRST_WITH_NULLABLE_PROTOCOL = 7;
/** KIP-814: the leader may be told that there is nothing to assign. */
const FIRST_WITH_SKIP_ASSIGNMENT = 9;

/** Joins a group; answered when the join phase ends. */
export const joinGroup = handler(JoinGroup, async (request, context) => {
  const { apiVersion, groups, session } = context;
  const { groupId, memberId, sessionTimeoutMs, rebalanceTimeoutMs, protocolType } = request;
  const found = groups.of(classic, groupId, 'READ');
  const joined = await found.group?.join({
    memberId,
    groupInstanceId: request.groupInstanceId,
    clientId: session.clientId ?? '',
    clientHost: session.host,
    sessionTimeoutMs,
    rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
    protocolType,
    // The group keeps what it is told for long: it must not hold on to the whole frame.
    protocols: request.protocols.map(({ name, metadata }) => ({
      name,
      metadata: Buffer.from(metadata),
    })),
    requiresKnownMemberId: apiVersion >= FIRST_WITH_KNOWN_MEMBER_ID,
    knowsSkipAssignment: apiVersion >= FIRST_WITH_SKIP_ASSIGNMENT,
  });
  const reply = joined ?? refusal('join', found.errorCode);
  const { errorCode, leader, members, skipAssignment } = reply;
  return {
    errorCode,
    generationId: reply.generation,
    protocolType: reply.protocolType,
    protocolName:
      apiVersion < FIRST_WITH_NULLABLE_PROTOCOL ? (reply.protocol ?? '') : reply.protocol,
    leader,
    skipAssignment,
    memberId: reply.memberId === '' ? memberId : reply.memberId,
    members,
  };
});
