import type { BrokerServices } from '../services.js';
import type { Session } from '../session.js';
import { ClusterResources } from './cluster.js';
import { GroupResources } from './groups.js';
import { ProducerIdResources } from './producer-ids.js';
import { TopicResources } from './topics.js';

export type { TopicState } from '../metadata/index.js';
export type { NewTopic } from '../topics.js';
export type { ClusterResources } from './cluster.js';
export type { FoundTopic, TopicResources } from './topics.js';

/**
 * What handlers may use of their broker: each kind of resource has one door, which knows who asks
 * and is told for what. No handler has another way to them, so none can forget the question.
 */
export interface Resources {
  readonly session: Session;
  readonly topics: TopicResources;
  readonly groups: GroupResources;
  readonly cluster: ClusterResources;
  readonly producerIds: ProducerIdResources;
}

/** The broker's resources as this client may use them; made once per session. */
export function resourcesFor(session: Session, services: BrokerServices): Resources {
  return {
    session,
    topics: new TopicResources(session, services),
    groups: new GroupResources(session, services),
    cluster: new ClusterResources(session, services),
    producerIds: new ProducerIdResources(session, services),
  };
}
