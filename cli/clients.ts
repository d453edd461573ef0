import { Admin, BrokerError, Cluster, type TopicMetadata } from '../client/index.js';
import { ErrorCode } from '../protocol/index.js';
import type { ClientOptions } from './client-options.js';
import type { Context } from './context.js';

/** A topic that the broker is asked to create is there, or refused, within this time. */
const CREATE_MS = 3_000;

/** The cluster that `--bootstrap` names. */
export function connect({ system }: Context, options: Pick<ClientOptions, 'bootstrap'>): Cluster {
  return new Cluster(system, { bootstrap: options.bootstrap.split(','), clientId: 'logflume-cli' });
}

/** An admin of that cluster, closed once `work` is done. */
export async function withAdmin<T>(
  { system }: Context,
  options: Pick<ClientOptions, 'bootstrap' | 'timeout'>,
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  const bootstrap = options.bootstrap.split(',');
  const admin = new Admin(
    { bootstrap, timeoutMs: options.timeout, clientId: 'logflume-cli' },
    system,
  );
  try {
    return await work(admin);
  } finally {
    admin.close();
  }
}

/**
 * A topic as it is now. Throws within `--timeout` where no broker answers, and at once where there
 * is no such topic; with `create`, once the broker has had time to create it.
 */
export async function findTopic(
  cluster: Cluster,
  name: string,
  options: Pick<ClientOptions, 'timeout'> & { readonly create?: boolean },
): Promise<TopicMetadata> {
  const within = { timeoutMs: options.timeout };
  const create = options.create === true;
  await cluster.retry('the broker', within, () => cluster.refresh([name], create));
  const found = cluster.image.topics.get(name);
  if (found?.errorCode === ErrorCode.NONE) return found;
  if (create && isComing(found?.errorCode)) {
    try {
      return await cluster.topic(name, { timeoutMs: Math.min(CREATE_MS, options.timeout), create });
    } catch {
      // What the broker said first names the reason better than that time ran out.
    }
  }
  const errorCode = found?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  throw new BrokerError(errorCode, `topic ${name}`);
}

/** Both are answered while a topic is being created. */
function isComing(errorCode: number | undefined): boolean {
  return (
    errorCode === ErrorCode.LEADER_NOT_AVAILABLE ||
    errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  );
}
