import { InitProducerId } from '../../protocol/index.js';
import { detach } from '../../system/index.js';
import type { Cluster } from '../cluster.js';
import { assertNoError } from '../errors.js';
import type { ProducerIdentity } from './line.js';

/** The largest int32: an idempotent producer has no transaction that could time out. */
const NO_TRANSACTION_TIMEOUT_MS = 0x7fffffff;

/** The producer id, asked of the cluster when it is first needed and when it has been lost. */
export class IdentitySource {
  current: ProducerIdentity | undefined;
  private isAsking = false;

  constructor(
    private readonly cluster: Cluster,
    private readonly events: {
      onReady(): void;
      /** No broker will ever give an id. */
      onRefused(cause: Error): void;
    },
  ) {}

  /** Whether there is an id; asks for one where not. */
  get isReady(): boolean {
    if (this.current !== undefined) return true;
    this.ask();
    return false;
  }

  /** The id is no good any more; the next one is asked for. */
  discard(): void {
    this.current = undefined;
    this.ask();
  }

  private ask(): void {
    if (this.isAsking) return;
    this.isAsking = true;
    const asked = this.cluster.retry('producer id', {}, async () => {
      const answer = await this.cluster.askAny(InitProducerId, {
        transactionalId: null,
        transactionTimeoutMs: NO_TRANSACTION_TIMEOUT_MS,
      });
      assertNoError(answer.errorCode, 'producer id');
      return { producerId: answer.producerId, producerEpoch: answer.producerEpoch };
    });
    const used = asked.then((identity) => {
      this.isAsking = false;
      this.current = identity;
      this.events.onReady();
    });
    detach(used, (error) => {
      this.isAsking = false;
      this.events.onRefused(error as Error);
    });
  }
}
