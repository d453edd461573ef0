import { type Codec, isCodecLoaded } from '../../protocol/records/index.js';
import type { ClusterOptions } from '../cluster.js';
import { checkOptions, invalidOption } from '../options/index.js';
import type { ValueTypes } from '../values/index.js';
import { producerRules } from './check.js';
import type { Interceptor } from './interceptors/index.js';
import type { Partitioner } from './partitioner.js';

/** What a producer can be told. Classic Kafka names stand in brackets. */
export interface ProducerOptions extends ClusterOptions {
  /** Who must have a batch before it is delivered: all in-sync replicas, the leader, nobody. */
  readonly acks?: 'all' | 1 | 0;
  /**
   * Each record exactly once and in order per partition, whatever is retried. Default: with
   * `acks: 'all'`; 0 and 1 switch it off. (`enable.idempotence`)
   */
  readonly idempotent?: boolean;
  /** Default none. (`compression.type`) */
  readonly compression?: Codec;
  /** The codec's own scale. */
  readonly compressionLevel?: number;
  /** How long a record may wait for company. Default 0: as long as requests are under way. */
  readonly lingerMs?: number;
  /** Largest batch, before compression. Default 512 KiB. (`batch.size`) */
  readonly batchBytes?: number;
  /** Largest request, and largest record. Default 8 MiB. (`max.request.size`) */
  readonly maxRequestBytes?: number;
  /** Bound on what is held. Default 64 MiB. (`buffer.memory`) */
  readonly maxMemoryBytes?: number;
  /** What `send` does when that is full. Default wait. */
  readonly whenFull?: 'wait' | 'fail';
  /** How long `send` waits at most for memory or a topic. Default 60 s. (`max.block.ms`) */
  readonly maxBlockMs?: number;
  /** How often a batch is sent again. Default without end, within `deliveryTimeoutMs`. */
  readonly retries?: number;
  /** From the first record of a batch to its end, good or bad. Default 120 s; Infinity: never. */
  readonly deliveryTimeoutMs?: number;
  /**
   * A batch that is refused for its topic (not authorized, policy violated …) is sent again until
   * it is taken, in its place, instead of failing: for records that have no other way to go.
   * Default false.
   */
  readonly waitsWhenRefused?: boolean;
  /**
   * A batch that is refused for its time (INVALID_TIMESTAMP) is sent again until it is taken, in
   * its place, and all of its records take the time at which it is sent: for records whose
   * timestamp is no more than this machine's clock when they were appended. Default false.
   */
  readonly restampsWhenRefused?: boolean;
  /** Requests under way to one broker. Default 5. (`max.in.flight.requests.per.connection`) */
  readonly maxInFlight?: number;
  /** Default: by key where there is one (as Java does), else sticky. */
  readonly partitioner?: Partitioner;
  /** Called in this order. */
  readonly interceptors?: readonly Interceptor[];
  /** Codecs for values other than text and bytes. */
  readonly values?: ValueTypes;
}

/** The options with their defaults, checked. */
export interface ProducerSettings {
  readonly acks: -1 | 0 | 1;
  readonly isIdempotent: boolean;
  readonly compression: Codec;
  readonly compressionLevel: number | undefined;
  readonly lingerMs: number;
  readonly batchBytes: number;
  readonly maxRequestBytes: number;
  readonly maxMemoryBytes: number;
  readonly whenFull: 'wait' | 'fail';
  readonly maxBlockMs: number;
  readonly retries: number;
  readonly requestTimeoutMs: number;
  readonly deliveryTimeoutMs: number;
  readonly waitsWhenRefused: boolean;
  readonly restampsWhenRefused: boolean;
  readonly maxInFlight: number;
  readonly partitioner: Partitioner;
}

/** The broker remembers as many batches of a producer; with more, order could not be kept. */
const MAX_IDEMPOTENT_IN_FLIGHT = 5;
const MAX_GZIP_LEVEL = 9;

/** Fills in the defaults. Throws ClientError INVALID_OPTION. */
export function resolveSettings(options: ProducerOptions): ProducerSettings {
  checkOptions('producer', options, producerRules, ['bootstrap']);
  const acks = options.acks ?? 'all';
  const isIdempotent = options.idempotent ?? acks === 'all';
  const settings: ProducerSettings = {
    acks: acks === 'all' ? -1 : acks,
    isIdempotent,
    compression: options.compression ?? 'none',
    compressionLevel: options.compressionLevel,
    lingerMs: options.lingerMs ?? 0,
    batchBytes: options.batchBytes ?? 512 * 1024,
    maxRequestBytes: options.maxRequestBytes ?? 8 * 1024 * 1024,
    maxMemoryBytes: options.maxMemoryBytes ?? 64 * 1024 * 1024,
    whenFull: options.whenFull ?? 'wait',
    maxBlockMs: options.maxBlockMs ?? 60_000,
    retries: options.retries ?? Number.POSITIVE_INFINITY,
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    deliveryTimeoutMs: options.deliveryTimeoutMs ?? 120_000,
    waitsWhenRefused: options.waitsWhenRefused ?? false,
    restampsWhenRefused: options.restampsWhenRefused ?? false,
    maxInFlight: options.maxInFlight ?? 5,
    partitioner: options.partitioner ?? 'default',
  };
  if (isIdempotent && acks !== 'all') {
    throw invalid('an idempotent producer needs acks all; leave `idempotent` out');
  }
  if (isIdempotent && settings.maxInFlight > MAX_IDEMPOTENT_IN_FLIGHT) {
    throw invalid('an idempotent producer may have at most 5 requests in flight');
  }
  if (isIdempotent && settings.retries < 1) {
    throw invalid('an idempotent producer needs retries');
  }
  if (settings.compression === 'gzip' && (settings.compressionLevel ?? 0) > MAX_GZIP_LEVEL) {
    throw invalid('compressionLevel of gzip is 9 at most');
  }
  return settings;
}

/** Whether batches can be closed; where not, `loadCodec` must have resolved first. */
export function isCodecReady(settings: ProducerSettings): boolean {
  return isCodecLoaded(settings.compression);
}

function invalid(message: string): Error {
  return invalidOption(`producer: ${message}`);
}
