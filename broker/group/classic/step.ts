import { ErrorCode } from '../../../protocol/index.js';
import { type Draft, draftOf, enter, replyPlain, startTimer, store } from './draft.js';
import type { Effect, GroupEvent, TimerName } from './events.js';
import { join } from './join.js';
import { commit, heartbeat, leave, pendingTimeout, sessionTimeout } from './membership.js';
import type { GroupState } from './model.js';
import { joinTimeout, syncTimeout } from './rebalance.js';
import { stored, sync } from './sync.js';

/**
 * The classic consumer-group protocol of one group: what happens → what becomes of the group and
 * what its shell must do. Nothing is read but the arguments. `state` is used up: its members live
 * on in the state that is returned, so that an event costs the same in a group of thousands.
 *
 * @param now milliseconds since the epoch
 */
export function step(
  state: GroupState,
  event: GroupEvent,
  now: number,
): { state: GroupState; effects: readonly Effect[] } {
  const draft = draftOf(state, now);
  handle(draft, event);
  const { effects, now: _, ...next } = draft;
  return { state: next, effects };
}

function handle(draft: Draft, event: GroupEvent): void {
  switch (event.type) {
    case 'join':
      join(draft, event);
      break;
    case 'sync':
      sync(draft, event);
      break;
    case 'heartbeat':
      heartbeat(draft, event);
      break;
    case 'commit':
      commit(draft, event);
      break;
    case 'leave':
      leave(draft, event);
      break;
    case 'delete':
      remove(draft, event.request);
      break;
    case 'timer':
      timeout(draft, event.timer);
      break;
    case 'stored':
      stored(draft, event);
      break;
    case 'restored':
      restored(draft);
      break;
  }
}

function remove(draft: Draft, request: number): void {
  if (draft.phase === 'Dead') {
    replyPlain(draft, request, ErrorCode.GROUP_ID_NOT_FOUND);
  } else if (draft.phase !== 'Empty' || draft.pendingMembers.size > 0) {
    replyPlain(draft, request, ErrorCode.NON_EMPTY_GROUP);
  } else {
    enter(draft, 'Dead');
    store(draft, null, { what: 'deletion', request });
  }
}

function timeout(draft: Draft, timer: TimerName): void {
  const memberId = timer.slice(timer.indexOf(':') + 1);
  if (timer === 'join') joinTimeout(draft);
  else if (timer === 'sync') syncTimeout(draft);
  else if (timer.startsWith('session:')) sessionTimeout(draft, memberId);
  else pendingTimeout(draft, memberId);
}

/** After a restart each member has a whole session to be heard of. */
function restored(draft: Draft): void {
  for (const { memberId, sessionTimeoutMs } of draft.members.values()) {
    startTimer(draft, `session:${memberId}`, sessionTimeoutMs);
  }
}
