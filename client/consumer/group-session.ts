import { ErrorCode, type JoinGroupResponse } from '../../protocol/index.js';
import { detach, type System, type Timer } from '../../system/index.js';
import { backoffMs } from '../backoff.js';
import type { Cluster } from '../cluster.js';
import { BrokerError, isRetriableError } from '../errors.js';
import type { TopicPartition } from '../topic-partition.js';
import { type Assignment, assignors, type GroupMember } from './assignors/index.js';
import * as requests from './group-requests.js';
import {
  type GroupEffect,
  type GroupEvent,
  type GroupRequest,
  type Membership,
  newMembership,
  step,
} from './membership.js';
import type { ConsumerSettings } from './settings.js';

/** What a group session asks of its consumer; calls come one after another. */
export interface GroupSessionListener {
  onAssign(partitions: readonly TopicPartition[]): Promise<void>;
  /** `lost`: the member was thrown out; others may have the partitions already. */
  onRevoke(lost: boolean): Promise<void>;
  onFatal(error: Error): void;
}

/** How often a subscribed topic that does not exist is looked for. */
const missingTopicMs = 1000;
/** Added to the time the coordinator may take to answer a JoinGroup. */
const joinGraceMs = 10_000;

/** Executes what the group's state machine decides: sends, waits, calls the consumer back. */
export class GroupSession {
  readonly #system: Pick<System, 'clock' | 'random'>;
  readonly #cluster: Cluster;
  readonly #listener: GroupSessionListener;
  readonly #identity: requests.GroupIdentity;
  readonly #topics: readonly string[];
  readonly #state: Membership;
  /** For the next heartbeat or attempt. */
  #timer: Timer | undefined;
  /** For the next look for topics that do not exist. */
  #seekTimer: Timer | undefined;
  /** Resolves when the farewell is over. */
  #left: Promise<void> = Promise.resolve();
  /** Calls to the consumer, in order. */
  #calls: Promise<void> = Promise.resolve();
  #protocolName = '';
  #assignment: readonly TopicPartition[] = [];
  /** As leader: the members, and the partition counts that they were dealt. */
  #members: readonly GroupMember[] = [];
  #dealtCounts = '';

  constructor(
    system: Pick<System, 'clock' | 'random'>,
    cluster: Cluster,
    settings: ConsumerSettings & { readonly groupId: string },
    topics: readonly string[],
    listener: GroupSessionListener,
  ) {
    this.#system = system;
    this.#cluster = cluster;
    this.#listener = listener;
    this.#topics = topics;
    this.#identity = { groupId: settings.groupId, settings };
    this.#state = newMembership(settings.groupInstanceId !== undefined);
  }

  /** Who commits: the generation and member id that the coordinator knows. */
  get membership(): Membership {
    return this.#state;
  }

  start(): void {
    this.#handle({ type: 'start' });
  }

  /** The coordinator refused a commit of this member. */
  commitRefused(errorCode: number): void {
    this.#handle({ type: 'refused', request: 'commit', errorCode });
  }

  /** Leaves the group; static members stay, so that they can come back. */
  leave(): Promise<void> {
    this.#handle({ type: 'leave' });
    return this.#left;
  }

  #handle(event: GroupEvent): void {
    const effects = step(this.#state, event, this.#system.clock.monotonic());
    for (const effect of effects) this.#execute(effect);
  }

  #execute(effect: GroupEffect): void {
    switch (effect.type) {
      case 'send':
        this.#timer?.cancel();
        this.#begin(effect.request);
        break;
      case 'revoke':
        this.#call(() => this.#listener.onRevoke(effect.lost), { type: 'revoked' });
        break;
      case 'assign': {
        const partitions = this.#assignment;
        this.#call(() => this.#listener.onAssign(partitions));
        break;
      }
      case 'heartbeatLater':
        this.#after(this.#identity.settings.heartbeatIntervalMs, { type: 'heartbeatDue' });
        break;
      case 'retryLater':
        this.#after(backoffMs(this.#cluster.backoff, effect.failures, this.#system.random), {
          type: 'retryDue',
        });
        break;
      case 'forgetCoordinator':
        this.#cluster.forgetCoordinator(this.#identity.groupId);
        break;
      case 'seekTopics':
        this.#seekTimer = this.#system.clock.after(missingTopicMs, () => this.#seekTopics());
        break;
      case 'stop':
        this.#timer?.cancel();
        this.#seekTimer?.cancel();
        break;
      case 'fail':
        this.#listener.onFatal(
          new BrokerError(effect.errorCode, `group ${this.#identity.groupId}`),
        );
        break;
    }
  }

  #after(delayMs: number, event: GroupEvent): void {
    this.#timer?.cancel();
    this.#timer = this.#system.clock.after(delayMs, () => this.#handle(event));
  }

  #call(callback: () => Promise<void>, then?: GroupEvent): void {
    this.#calls = this.#calls.then(callback).then(
      () => then && this.#handle(then),
      (error: Error) => this.#listener.onFatal(error),
    );
  }

  #begin(request: GroupRequest | 'leave'): void {
    if (request === 'leave') this.#left = this.#sayFarewell();
    else detach(this.#send(request), (error) => this.#listener.onFatal(error as Error));
  }

  async #sayFarewell(): Promise<void> {
    try {
      const connection = await this.#cluster.coordinator(this.#identity.groupId);
      const body = requests.leaveBody(this.#identity, this.#state);
      await connection.request(requests.LeaveGroup, body, { timeoutMs: 5000 });
    } catch {
      // The coordinator notices by the session timeout.
    }
  }

  async #send(request: GroupRequest): Promise<void> {
    try {
      if (request === 'join') await this.#join();
      else if (request === 'sync') await this.#sync();
      else await this.#heartbeat();
    } catch (error) {
      if (error instanceof BrokerError && !error.retriable) {
        this.#handle({ type: 'refused', request, errorCode: error.errorCode });
      } else if (isRetriableError(error)) this.#handle({ type: 'unanswered', request });
      else this.#listener.onFatal(error as Error);
    }
  }

  async #join(): Promise<void> {
    const { groupId, settings } = this.#identity;
    const connection = await this.#cluster.coordinator(groupId);
    const body = requests.joinBody(this.#identity, this.#state, this.#topics, this.#assignment);
    const timeoutMs = Math.max(settings.rebalanceTimeoutMs, settings.sessionTimeoutMs);
    const response = await connection.request(requests.JoinGroup, body, {
      timeoutMs: timeoutMs + joinGraceMs,
    });
    const { errorCode, memberId } = response;
    if (errorCode !== ErrorCode.NONE) {
      this.#handle({ type: 'refused', request: 'join', errorCode, memberId });
      return;
    }
    this.#noteJoined(response);
    const generation = response.generationId;
    const isLeader = response.leader === memberId;
    this.#handle({ type: 'joined', answer: { memberId, generation, isLeader } });
  }

  #noteJoined(response: JoinGroupResponse): void {
    this.#protocolName = response.protocolName ?? '';
    const deals = response.leader === response.memberId && !response.skipAssignment;
    this.#members = deals ? requests.readMembers(response) : [];
  }

  async #sync(): Promise<void> {
    const assignment = await this.#deal();
    const connection = await this.#cluster.coordinator(this.#identity.groupId);
    const body = requests.syncBody(this.#identity, this.#state, this.#protocolName, assignment);
    const { errorCode, assignment: mine } = await connection.request(requests.SyncGroup, body);
    if (errorCode !== ErrorCode.NONE) {
      this.#handle({ type: 'refused', request: 'sync', errorCode });
      return;
    }
    this.#assignment = requests.readAssignment(mine);
    this.#handle({ type: 'synced' });
  }

  /** As leader: who gets what. */
  async #deal(): Promise<Assignment> {
    if (this.#members.length === 0) return new Map();
    await this.#cluster.refresh(this.#dealtTopics());
    const counts = this.#partitionCounts();
    this.#dealtCounts = JSON.stringify([...counts]);
    const assignor = Object.values(assignors).find(({ name }) => name === this.#protocolName);
    if (assignor) return assignor.assign(this.#members, counts);
    throw new BrokerError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, `assignor ${this.#protocolName}`);
  }

  async #heartbeat(): Promise<void> {
    const connection = await this.#cluster.coordinator(this.#identity.groupId);
    const { settings } = this.#identity;
    const body = requests.heartbeatBody(this.#identity, this.#state);
    const { errorCode } = await connection.request(requests.Heartbeat, body, {
      timeoutMs: settings.sessionTimeoutMs,
    });
    if (errorCode !== ErrorCode.NONE) {
      this.#handle({ type: 'refused', request: 'heartbeat', errorCode });
      return;
    }
    this.#handle({ type: 'heartbeatAnswered' });
    if (this.#members.length === 0) return;
    if (JSON.stringify([...this.#partitionCounts()]) !== this.#dealtCounts) {
      this.#handle({ type: 'dealOutdated' });
    }
  }

  #dealtTopics(): string[] {
    return [...new Set([...this.#topics, ...this.#members.flatMap((member) => member.topics)])];
  }

  #partitionCounts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const topic of this.#dealtTopics().sort()) {
      const count = this.#cluster.image.topics.get(topic)?.partitions.length ?? 0;
      if (count > 0) counts.set(topic, count);
    }
    return counts;
  }

  #seekTopics(): void {
    const { topics } = this.#cluster.image;
    const missing = this.#topics.filter((topic) => !topics.get(topic)?.partitions.length);
    const sought = () => this.#handle({ type: 'topicsSought' });
    if (missing.length === 0) sought();
    else detach(this.#cluster.refresh(missing).then(sought), sought);
  }
}
