import type { GroupState, Member, MemberProtocol } from './model.js';

/**
 * The protocol of the next generation: each member votes for the first of its list that all
 * members support; the most votes win, at a tie the one voted for first.
 */
export function selectProtocol(members: Iterable<Member>): string {
  const all = [...members];
  const shared = new Set(
    all[0]?.protocols.map(({ name }) => name).filter((name) => allSupport(all, name, '')),
  );
  const votes = new Map<string, number>();
  for (const { protocols } of all) {
    const choice = protocols.find(({ name }) => shared.has(name));
    if (choice !== undefined) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1);
  }
  let winner = '';
  for (const [name, count] of votes) {
    if (winner === '' || count > (votes.get(winner) ?? 0)) winner = name;
  }
  if (winner === '') throw new Error('members without a common protocol were let into a group');
  return winner;
}

/** Whether a member (who may replace one, `besides`) with these protocols fits into the group. */
export function fits(
  state: Pick<GroupState, 'members' | 'protocolType'>,
  protocolType: string,
  protocols: readonly MemberProtocol[],
  besides: string,
): boolean {
  if (protocolType === '' || protocols.length === 0) return false;
  if (state.members.size === 0) return true;
  if (protocolType !== state.protocolType) return false;
  return protocols.some(({ name }) => allSupport(state.members.values(), name, besides));
}

function allSupport(members: Iterable<Member>, protocol: string, besides: string): boolean {
  for (const member of members) {
    if (member.memberId !== besides && !supports(member, protocol)) return false;
  }
  return true;
}

/** Whether the member said exactly this already. */
export function sameProtocols(member: Member, protocols: readonly MemberProtocol[]): boolean {
  return (
    member.protocols.length === protocols.length &&
    member.protocols.every(({ name, metadata }, index) => {
      const other = protocols[index];
      return other !== undefined && other.name === name && other.metadata.equals(metadata);
    })
  );
}

function supports({ protocols }: Member, protocol: string): boolean {
  for (const { name } of protocols) if (name === protocol) return true;
  return false;
}
