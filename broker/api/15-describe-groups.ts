import { DescribeGroups, ErrorCode } from '../../protocol/index.js';
import { describeGroup } from '../group/index.js';
import { handler, type RequestContext } from '../handler.js';
import { once } from './once.js';

/** Before it a group that does not exist is described as dead. */
const FIRST_WITH_NOT_FOUND = 6;

/** State, members and assignments of groups. */
export const describeGroups = handler(DescribeGroups, (request, context) => ({
  groups: once(request.groups, (groupId) => groupId).map((groupId) => describe(groupId, context)),
}));

function describe(groupId: string, { services, apiVersion }: RequestContext) {
  const { errorCode, state } = services.groups.state(groupId);
  if (errorCode === ErrorCode.NONE && state !== undefined) {
    return { errorCode, errorMessage: null, ...describeGroup(state) };
  }
  const nothing = { groupId, protocolType: '', protocolData: '', members: [] };
  if (errorCode !== ErrorCode.GROUP_ID_NOT_FOUND) {
    return { errorCode, errorMessage: null, groupState: '', ...nothing };
  }
  if (apiVersion < FIRST_WITH_NOT_FOUND) {
    return { errorCode: ErrorCode.NONE, errorMessage: null, groupState: 'Dead', ...nothing };
  }
  return {
    errorCode,
    errorMessage: `there is no group ${groupId}`,
    groupState: 'Dead',
    ...nothing,
  };
}
