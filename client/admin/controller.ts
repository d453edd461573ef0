import type { Api } from '../../protocol/index.js';
import type { Cluster } from '../cluster.js';
import type { RetryOptions } from '../retry.js';

/** Asks the controller, or in KRaft any broker, which forwards; repeats while none is reached. */
export function askController<Q, P, QI, PI>(
  cluster: Cluster,
  what: string,
  options: RetryOptions,
  api: Api<Q, P, QI, PI>,
  body: QI,
): Promise<P> {
  return cluster.retry(what, options, async () => {
    await cluster.refresh();
    const { controllerId, nodes } = cluster.image;
    return nodes.has(controllerId)
      ? cluster.ask(controllerId, api, body)
      : cluster.askAny(api, body);
  });
}
