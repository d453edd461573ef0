import { ListGroups } from '../../protocol/index.js';
import { handler } from '../handler.js';

/** What KIP-848 calls the groups whose members assign partitions themselves; we have no others. */
const GROUP_TYPE = 'classic';

/** The groups of this broker, by state and type where the client asks for some only. */
export const listGroups = handler(ListGroups, (request, { services }) => {
  const { errorCode, states } = services.groups.list();
  const groups = states
    .filter(({ phase }) => matches(request.statesFilter, phase))
    .filter(() => matches(request.typesFilter, GROUP_TYPE))
    .map(({ groupId, protocolType, phase }) => ({
      groupId,
      protocolType: protocolType ?? '',
      groupState: phase,
      groupType: GROUP_TYPE,
    }));
  return { errorCode, groups };
});

/** An empty filter lets everything through. */
function matches(filter: readonly string[], word: string): boolean {
  if (filter.length === 0) return true;
  return filter.some((wanted) => wanted.toLowerCase() === word.toLowerCase());
}
