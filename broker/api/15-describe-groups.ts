import { DescribeGroups, ErrorCode } from '../../protocol/index.js';
import { handler, type RequestContext } from '../handler.js';
import { once } from './once.js';

const { GROUP_ID_NOT_FOUND, NONE } = ErrorCode;

/** Before it a group that does not exist is described as dead. */
const FIRST_WITH_NOT_FOUND = 6;

/** State, members and assignments of groups. */
export const describeGroups = handler(DescribeGroups, (request, context) => ({
  groups: once(request.groups, (groupId) => groupId).map((groupId) => describe(groupId, context)),
}));

function describe(groupId: string, { groups, apiVersion }: RequestContext) {
  const found = groups.find(groupId, 'DESCRIBE');
  const description = found.group?.describe();
  if (found.group !== undefined && description !== undefined) {
    const { stateName: groupState } = found.group;
    return { groupId, groupState, errorCode: NONE, errorMessage: null, ...description };
  }
  // Of a group that its own API alone can describe we say that it is not there, as Kafka does.
  const errorCode = found.errorCode === NONE ? GROUP_ID_NOT_FOUND : found.errorCode;
  const nothing = { groupId, protocolType: '', protocolData: '', members: [] };
  if (errorCode !== GROUP_ID_NOT_FOUND) {
    return { errorCode, errorMessage: null, groupState: '', ...nothing };
  }
  if (apiVersion < FIRST_WITH_NOT_FOUND) {
    return { errorCode: NONE, errorMessage: null, groupState: 'Dead', ...nothing };
  }
  return {
    errorCode,
    errorMessage: `there is no group ${groupId}`,
    groupState: 'Dead',
    ...nothing,
  };
}
