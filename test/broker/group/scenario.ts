import type {
  Effect,
  GroupEvent,
  Reply,
  StoredPurpose,
  TimerName,
} from '../../../broker/group/classic/events.js';
import { emptyGroup, type GroupState, type Member } from '../../../broker/group/classic/model.js';
import { step } from '../../../broker/group/classic/step.js';
import type { GroupSettings } from '../../../broker/group/settings.js';
import { ErrorCode, type ErrorName, errorName } from '../../../protocol/index.js';

export const settings: GroupSettings = {
  minSessionTimeoutMs: 6_000,
  maxSessionTimeoutMs: 1_800_000,
  maxSize: 1_000,
  initialRebalanceDelayMs: 0,
};

/**
 * Runs a script of commands against one group and writes down, after each, what the core asked
 * for and where the group stands. Blocks are `command`, `----`, the expected lines, an empty line.
 *
 *     group [max=N] [delay=MS]                  a new group
 *     join NEW [as=ID] [instance=I] [protocols=range:a,sticky:b] [session=MS] [rebalance=MS] [old]
 *     sync ID generation [I:instance] [to=a:x,b:y]       heartbeat | commit ID generation [instance=I]
 *     leave ID|ID/instance…     delete     timer NAME     stored [ERROR]     restored
 *
 * `old`: neither KIP-394 nor KIP-814. Requests are numbered as they come.
 */
export function runScenario(script: string): string {
  const player = new Player();
  const blocks = script.split(/\n\n+/).map((block) => block.trim());
  return `${blocks
    .filter((block) => block !== '')
    .map((block) => player.play(block))
    .join('\n\n')}\n`;
}

class Player {
  private state: GroupState = emptyGroup('g', settings, 0);
  private request = 0;
  private readonly stores: StoredPurpose[] = [];

  play(block: string): string {
    const lines = block.split('\n');
    const rule = lines.indexOf('----');
    const head = lines.slice(0, rule === -1 ? undefined : rule);
    const results = head.filter((line) => !line.startsWith('#')).flatMap((line) => this.run(line));
    return [...head, '----', ...results, describe(this.state)].join('\n');
  }

  private run(line: string): string[] {
    const [command = '', ...words] = line.split(' ');
    const options = new Map<string, string>();
    const plain: string[] = [];
    for (const word of words) {
      const at = word.indexOf('=');
      if (at < 0) plain.push(word);
      else options.set(word.slice(0, at), word.slice(at + 1));
    }
    if (command === 'group') {
      this.stores.length = 0;
      this.state = emptyGroup(
        'g',
        {
          ...settings,
          maxSize: Number(options.get('max') ?? settings.maxSize),
          initialRebalanceDelayMs: Number(options.get('delay') ?? 0),
        },
        0,
      );
      return [];
    }
    const effects = step(this.state, this.eventOf(command, plain, options), 1_000);
    return effects.map((effect) => this.effect(effect));
  }

  private eventOf(command: string, plain: string[], options: Map<string, string>): GroupEvent {
    const [first = '', second = '0'] = plain;
    const claim = {
      memberId: first,
      generation: Number(second),
      groupInstanceId: options.get('instance') ?? null,
    };
    switch (command) {
      case 'join':
        return {
          type: 'join',
          request: ++this.request,
          newMemberId: first,
          memberId: options.get('as') ?? '',
          groupInstanceId: claim.groupInstanceId,
          clientId: 'client',
          clientHost: '/127.0.0.1',
          sessionTimeoutMs: Number(options.get('session') ?? 10_000),
          rebalanceTimeoutMs: Number(options.get('rebalance') ?? 60_000),
          protocolType: options.get('type') ?? 'consumer',
          protocols: pairs(options.get('protocols') ?? 'range').map(([name, metadata]) => ({
            name,
            metadata: Buffer.from(metadata),
          })),
          requiresKnownMemberId: !plain.includes('old'),
          knowsSkipAssignment: !plain.includes('old'),
        };
      case 'sync':
        return {
          type: 'sync',
          request: ++this.request,
          ...claim,
          protocolType: options.get('type') ?? null,
          protocol: options.get('protocol') ?? null,
          assignments: new Map(
            pairs(options.get('to') ?? '').map(([id, text]) => [id, Buffer.from(text)]),
          ),
        };
      case 'heartbeat':
      case 'commit':
        return { type: command, request: ++this.request, ...claim };
      case 'leave':
        return {
          type: 'leave',
          request: ++this.request,
          members: plain.map((word) => {
            const [memberId = '', groupInstanceId = null] = word.split('/');
            return { memberId, groupInstanceId };
          }),
        };
      case 'delete':
        return { type: 'delete', request: ++this.request };
      case 'timer':
        return { type: 'timer', timer: first as TimerName };
      case 'stored': {
        const purpose = this.stores.shift();
        if (purpose === undefined) throw new Error('nothing is being stored');
        return { type: 'stored', purpose, errorCode: ErrorCode[(first || 'NONE') as ErrorName] };
      }
      case 'restored':
        return { type: 'restored' };
      default:
        throw new Error(`no such command: ${command}`);
    }
  }

  private effect(effect: Effect): string {
    switch (effect.type) {
      case 'reply':
        return `#${effect.request} ${describeReply(effect.reply)}`;
      case 'start timer':
        return `start ${effect.timer} ${effect.delayMs}`;
      case 'stop timer':
        return `stop ${effect.timer}`;
      case 'store': {
        this.stores.push(effect.purpose);
        const { record } = effect;
        if (record === null) return 'store tombstones';
        const members = record.members
          .map((member) => `${member.memberId}:${member.assignment.toString()}`)
          .join(',');
        return `store ${effect.purpose.what} generation=${record.generation} [${members}]`;
      }
    }
  }
}

function pairs(text: string): [string, string][] {
  if (text === '') return [];
  return text.split(',').map((pair) => {
    const [name = '', value = ''] = pair.split(':');
    return [name, value];
  });
}

function describeReply(reply: Reply): string {
  const error = errorName(reply.errorCode);
  switch (reply.kind) {
    case 'plain':
      return error;
    case 'leave':
      return `${error} ${reply.memberErrors.map(errorName).join(',')}`;
    case 'sync':
      return `${error} ${reply.protocol} [${reply.assignment.toString()}]`;
    case 'join': {
      if (reply.errorCode !== ErrorCode.NONE) return `${error} ${reply.memberId}`;
      const { generation, protocol, leader, skipAssignment } = reply;
      const members = reply.members.map((member) => `${member.memberId}:${member.metadata}`);
      const skip = skipAssignment ? ' skip' : '';
      return `${error} ${reply.memberId} generation=${generation} ${protocol} leader=${leader}${skip} [${members}]`;
    }
  }
}

function describe(state: GroupState): string {
  const members = [...state.members.values()].map((member) => describeMember(state, member));
  const pending = state.pendingMembers.size > 0 ? ` pending=${[...state.pendingMembers]}` : '';
  return `${state.phase} generation=${state.generation} [${members.join(' ')}]${pending}`;
}

/** `*` leads, `j` waits with a join, `s` with a sync. */
function describeMember(state: GroupState, member: Member): string {
  const marks = `${state.leader === member.memberId ? '*' : ''}${member.join === null ? '' : 'j'}${member.sync === null ? '' : 's'}`;
  return marks === '' ? member.memberId : `${member.memberId}(${marks})`;
}
