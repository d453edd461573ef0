import { DeleteGroups } from '../../protocol/index.js';
import { handler } from '../handler.js';

/** Deletes groups without members, and their offsets. */
export const deleteGroups = handler(DeleteGroups, async (request, { groups }) => ({
  throttleTimeMs: 0,
  results: await Promise.all(
    request.groupsNames.map(async (groupId) => ({
      groupId,
      errorCode: await groups.delete(groupId),
    })),
  ),
}));
