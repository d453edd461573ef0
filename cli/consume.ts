import {
  type Cluster,
  Consumer,
  type ConsumerOptions,
  type FetchedBatch,
  LATEST_TIMESTAMP,
} from '../client/index.js';
import { detach } from '../system/index.js';
import type { ClientOptions } from './client-options.js';
import { connect, findTopic, withAdmin } from './clients.js';
import type { Context } from './context.js';
import { CommandError, ExitCode, UsageError } from './failure.js';
import { printedRecord } from './record-text.js';
import { StopRequest } from './stop-request.js';
import { parseWhere } from './where.js';

/** Options of `consume`. */
export interface ConsumeOptions extends ClientOptions {
  readonly from?: string;
  readonly group?: string;
  readonly partition?: number;
  readonly max?: number;
  readonly exitAtEnd?: boolean;
}

const END_CHECK_MS = 50;
const LINE_END = Buffer.from('\n');

/**
 * `consume TOPIC`: prints records; commits nothing unless it is a member of a group, and then
 * exactly what it has printed.
 */
export async function consume(
  context: Context,
  topic: string,
  options: ConsumeOptions,
): Promise<number> {
  const { system } = context;
  if (options.group !== undefined && options.partition !== undefined) {
    const advice = `the group deals partitions out; leave -p or -g away`;
    throw new UsageError(`--group and --partition exclude each other: ${advice}`);
  }
  const from = options.from === undefined ? undefined : parseWhere('--from', options.from);
  const cluster = connect(context, options);
  const partitions = await partitionsOf(cluster, topic, options);
  const settings: ConsumerOptions = {
    cluster,
    autoOffsetReset: from === 'end' ? 'latest' : 'earliest',
    ...(options.group === undefined ? { autoCommit: false } : { groupId: options.group }),
  };
  const consumer = new Consumer(settings, system);
  const stop = new StopRequest(system, () => process.exit(ExitCode.failed));
  const ends = options.exitAtEnd === true ? await endsOf(context, topic, partitions, options) : [];
  const reader = new Reader(context, options);
  const batches = consumer.batches();
  // Ended, not closed: what is being printed is finished first, and counts.
  const end = () => batches.end(undefined);
  detach(stop.requested.then(end), () => {});
  if (options.group === undefined) {
    const position = from ?? 'beginning';
    await consumer.assign(partitions.map((partition) => ({ topic, partition, position })));
  } else {
    const onAssign = async (assigned: readonly { topic: string; partition: number }[]) => {
      if (from === undefined) return;
      for (const at of assigned) await consumer.seek(at, from);
    };
    consumer.subscribe({ topics: [topic], onAssign });
  }
  if (options.exitAtEnd === true) endAtEnd(context, consumer, ends, end);
  for await (const batch of batches) {
    const printed = await reader.print(batch);
    if (printed === undefined) continue;
    batches.progress(printed);
    break;
  }
  await consumer.close();
  cluster.close();
  stop.close();
  return ExitCode.done;
}

async function partitionsOf(
  cluster: Cluster,
  topic: string,
  options: ConsumeOptions,
): Promise<number[]> {
  const found = await findTopic(cluster, topic, options);
  const all = found.partitions.map(({ partition }) => partition);
  if (options.partition === undefined) return all;
  if (all.includes(options.partition)) return [options.partition];
  throw new CommandError(
    `topic ${topic} has no partition ${options.partition}; it has ${all.length}`,
  );
}

async function endsOf(
  context: Context,
  topic: string,
  partitions: readonly number[],
  options: ConsumeOptions,
) {
  const timestamp = LATEST_TIMESTAMP;
  const queries = partitions.map((partition) => ({ topic, partition, timestamp }));
  return withAdmin(context, options, (admin) => admin.listOffsets(queries));
}

/** Ends reading once it has passed these ends; other members may have some of them. */
function endAtEnd(
  { system }: Context,
  consumer: Consumer,
  ends: readonly { readonly partition: number; readonly offset: number }[],
  end: () => void,
): void {
  const isThere = () => {
    const lags = consumer.lag();
    return (
      lags.length > 0 &&
      lags.every(({ partition, position }) => {
        const last = ends.find((each) => each.partition === partition);
        return last === undefined || position >= last.offset;
      })
    );
  };
  const check = () => {
    if (isThere()) end();
    else timer = system.clock.after(END_CHECK_MS, check);
  };
  let timer = system.clock.after(END_CHECK_MS, check);
  consumer.once('stopped', () => timer.cancel());
}

/** Prints batches until enough has been printed. */
class Reader {
  readonly #context: Context;
  readonly #asJson: boolean;
  #left: number;

  constructor(context: Context, options: ConsumeOptions) {
    this.#context = context;
    this.#asJson = options.output === 'json';
    this.#left = options.max ?? Number.POSITIVE_INFINITY;
  }

  /** The offset up to which it has printed, once nothing more is wanted. */
  async print(batch: FetchedBatch): Promise<number | undefined> {
    const chunks: Uint8Array[] = [];
    const cursor = batch.cursor();
    const where = { topic: batch.topic, partition: batch.partition };
    let printed = batch.firstOffset;
    while (this.#left > 0 && cursor.next()) {
      this.#left--;
      printed = cursor.offset + 1;
      if (this.#asJson) chunks.push(Buffer.from(JSON.stringify(printedRecord(cursor, where))));
      else chunks.push(cursor.value() ?? Buffer.alloc(0));
      chunks.push(LINE_END);
    }
    if (chunks.length > 0) await this.#context.terminal.data(Buffer.concat(chunks));
    return this.#left > 0 ? undefined : printed;
  }
}
