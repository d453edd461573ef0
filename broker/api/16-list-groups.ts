import { ListGroups } from '../../protocol/index.js';
import { handler } from '../handler.js';

/** The groups of this broker, by state and type where the client asks for some only. */
export const listGroups = handler(ListGroups, (request, context) => {
  const { errorCode, groups: all } = context.groups.list();
  const groups = all
    .filter(({ stateName }) => matches(request.statesFilter, stateName))
    .filter(({ type }) => matches(request.typesFilter, type))
    .map(({ id: groupId, protocolType, stateName: groupState, type: groupType }) => ({
      ...{ groupId, protocolType, groupState, groupType },
    }));
  return { errorCode, groups };
});

/** An empty filter lets everything through. */
function matches(filter: readonly string[], word: string): boolean {
  if (filter.length === 0) return true;
  return filter.some((wanted) => wanted.toLowerCase() === word.toLowerCase());
}
