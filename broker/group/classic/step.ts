import { ErrorCode } from '../../../protocol/index.js';
import type { Effect, GroupEvent, TimerName } from './events.js';
import { join } from './join.js';
import { commit, heartbeat, leave, pendingTimeout, sessionTimeout } from './membership.js';
import type { GroupState, MutableGroup } from './model.js';
import { joinTimeout, syncTimeout } from './rebalance.js';
import { stored, sync } from './sync.js';
import { enter, replyPlain, startTimer, store, type Turn } from './turn.js';

/**
 * The classic consumer-group protocol of one group: what happens → what its shell must do, in this
 * order. Nothing is read but the arguments. `state` is changed in place, and nowhere else: a copy
 * for each event made groups of thousands slow.
 *
 * @param now milliseconds since the epoch
 */
export function step(state: GroupState, event: GroupEvent, now: number): readonly Effect[] {
  const turn: Turn = { group: state as MutableGroup, now, effects: [] };
  handle(turn, event);
  return turn.effects;
}

function handle(turn: Turn, event: GroupEvent): void {
  switch (event.type) {
    case 'join':
      join(turn, event);
      break;
    case 'sync':
      sync(turn, event);
      break;
    case 'heartbeat':
      heartbeat(turn, event);
      break;
    case 'commit':
      commit(turn, event);
      break;
    case 'leave':
      leave(turn, event);
      break;
    case 'delete':
      remove(turn, event.request);
      break;
    case 'timer':
      timeout(turn, event.timer);
      break;
    case 'stored':
      stored(turn, event);
      break;
    case 'restored':
      restored(turn);
      break;
  }
}

function remove(turn: Turn, request: number): void {
  const { group } = turn;
  if (group.phase === 'Dead') {
    replyPlain(turn, request, ErrorCode.GROUP_ID_NOT_FOUND);
  } else if (group.phase !== 'Empty' || group.pendingMembers.size > 0) {
    replyPlain(turn, request, ErrorCode.NON_EMPTY_GROUP);
  } else {
    enter(turn, 'Dead');
    store(turn, null, { what: 'deletion', request });
  }
}

function timeout(turn: Turn, timer: TimerName): void {
  const memberId = timer.slice(timer.indexOf(':') + 1);
  if (timer === 'join') joinTimeout(turn);
  else if (timer === 'sync') syncTimeout(turn);
  else if (timer.startsWith('session:')) sessionTimeout(turn, memberId);
  else pendingTimeout(turn, memberId);
}

/** After a restart each member has a whole session to be heard of. */
function restored(turn: Turn): void {
  const { group } = turn;
  for (const { memberId, sessionTimeoutMs } of group.members.values()) {
    startTimer(turn, `session:${memberId}`, sessionTimeoutMs);
  }
}
