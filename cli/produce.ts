import { Tail } from 'tail';
import { Producer, type ProducerRecord } from '../client/index.js';
import type { Codec } from '../protocol/records/index.js';
import { detach } from '../system/index.js';
import type { ClientOptions } from './client-options.js';
import { connect, findTopic } from './clients.js';
import type { Context } from './context.js';
import { CommandError, ExitCode } from './failure.js';
import { LineSplitter } from './line-splitter.js';
import { bytesText, Progress } from './progress.js';
import { StopRequest } from './stop-request.js';

/** Options of `produce`. */
export interface ProduceOptions extends ClientOptions {
  readonly follow?: string;
  readonly file?: string;
  readonly key?: string;
  readonly keySeparator?: string;
  readonly partition?: number;
  readonly compression: Codec;
  readonly acks: '0' | '1' | 'all';
}

const LINGER_MS = 5;

/** `produce TOPIC`: sends lines of stdin, a whole file, or what is appended to a file. */
export async function produce(
  context: Context,
  topic: string,
  options: ProduceOptions,
): Promise<number> {
  const cluster = connect(context, options);
  await findTopic(cluster, topic, { timeout: options.timeout, create: true });
  cluster.close();
  const following = options.follow !== undefined;
  const producer = new Producer(
    {
      bootstrap: options.bootstrap.split(','),
      clientId: 'logflume-cli',
      acks: options.acks === 'all' ? 'all' : options.acks === '1' ? 1 : 0,
      compression: options.compression,
      lingerMs: LINGER_MS,
      deliveryTimeoutMs: following ? Number.POSITIVE_INFINITY : options.timeout,
      maxBlockMs: following ? Number.POSITIVE_INFINITY : options.timeout,
    },
    context.system,
  );
  const sender = new Sender(producer, topic, options);
  if (options.file !== undefined) {
    await sender.value(await context.system.disk.readFile(options.file));
  } else if (options.follow !== undefined) {
    await follow(context, options.follow, sender);
  } else {
    await readStdin(sender, new Progress(context));
  }
  await sender.finish();
  await producer.close();
  context.terminal.say(`${sender.count} ${sender.count === 1 ? 'record' : 'records'} sent`);
  return ExitCode.done;
}

/** Sends lines; at most a few chunks of them are under way. */
class Sender {
  count = 0;
  readonly #producer: Producer;
  readonly #record: Omit<ProducerRecord, 'value'>;
  readonly #separator: Buffer | undefined;
  #failure: Error | undefined;
  /** Ends with the last of what was handed in. */
  #last: Promise<void> = Promise.resolve();

  constructor(producer: Producer, topic: string, options: ProduceOptions) {
    this.#producer = producer;
    this.#record = {
      topic,
      ...(options.key !== undefined && { key: options.key }),
      ...(options.partition !== undefined && { partition: options.partition }),
    };
    if (options.keySeparator) this.#separator = Buffer.from(options.keySeparator);
  }

  /** Sends lines; resolves when the chunk before them has been delivered. */
  async lines(lines: readonly Buffer[]): Promise<void> {
    if (this.#failure) throw this.#failure;
    const before = this.#last;
    this.#last = this.#send(lines.map((line) => this.#split(line)));
    await before;
  }

  async value(value: Buffer): Promise<void> {
    this.#last = this.#send([{ ...this.#record, value }]);
    await this.#last;
  }

  /** Resolves when all is delivered; throws the first failure. */
  async finish(): Promise<void> {
    await this.#last;
    if (this.#failure) throw this.#failure;
  }

  #split(line: Buffer): ProducerRecord {
    const at = this.#separator === undefined ? -1 : line.indexOf(this.#separator);
    if (this.#separator === undefined || at < 0) return { ...this.#record, value: line };
    const value = line.subarray(at + this.#separator.length);
    return { ...this.#record, key: line.subarray(0, at), value };
  }

  async #send(records: readonly ProducerRecord[]): Promise<void> {
    if (records.length === 0) return;
    try {
      const sent = await this.#producer.send(records);
      this.count += sent.length;
    } catch (error) {
      this.#failure ??= error as Error;
    }
  }
}

async function readStdin(sender: Sender, progress: Progress): Promise<void> {
  const splitter = new LineSplitter();
  let bytes = 0;
  for await (const chunk of process.stdin) {
    await sender.lines(splitter.push(chunk as Buffer));
    bytes += (chunk as Buffer).length;
    progress.show(() => `${sender.count} records sent, ${bytesText(bytes)} read`);
  }
  await sender.lines(splitter.end());
}

/** Sends what is appended to a file until a signal comes. For what must not be lost: the agent. */
async function follow({ system }: Context, path: string, sender: Sender): Promise<void> {
  if (system.disk.statSync(path)?.kind !== 'file') {
    throw new CommandError(`${path}: there is no such file to follow`);
  }
  const stop = new StopRequest(system, () => process.exit(ExitCode.failed));
  // latin1 keeps each byte as it is.
  const tail = new Tail(path, { separator: '\n', encoding: 'latin1' });
  const failed = new Promise<never>((_, reject) => {
    tail.on('error', (cause: unknown) => {
      reject(new CommandError(`${path} cannot be followed: ${cause}`));
    });
    tail.on('line', (line: string) => {
      detach(sender.lines([Buffer.from(line, 'latin1')]), reject);
    });
  });
  try {
    await Promise.race([stop.requested, failed]);
  } finally {
    tail.unwatch();
    stop.close();
  }
}
