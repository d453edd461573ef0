import { Broker } from '../../broker/index.js';
import { Cluster } from '../../client/cluster.js';
import { Produce } from '../../protocol/index.js';
import { BatchWriter, encodeHeaders } from '../../protocol/records/index.js';
import { createSimSystem, type SimProcess, type Simulation } from '../../system/sim/index.js';

export const bootstrap = ['127.0.0.1:9092'];

/** A simulation with our broker in the process `broker`, always on the same port. */
export async function withBroker(
  topics: Readonly<Record<string, { partitions: number }>>,
  seed = 1,
): Promise<{ sim: Simulation; broker: Broker }> {
  const sim = createSimSystem({ seed });
  const broker = await startBroker(sim, topics);
  return { sim, broker };
}

export function startBroker(
  sim: Simulation,
  topics: Readonly<Record<string, { partitions: number }>> = {},
): Promise<Broker> {
  return sim.run(startBrokerIn(sim, topics));
}

/** The same, where the simulation runs already. */
export function startBrokerIn(
  sim: Simulation,
  topics: Readonly<Record<string, { partitions: number }>> = {},
): Promise<Broker> {
  const listeners = [{ listen: { host: '127.0.0.1', port: 9092 } }];
  const properties = { 'auto.create.topics.enable': false };
  return Broker.start({ dataDir: '/data', listeners, topics, properties }, sim.process('broker'));
}

/** Record batches with these values, one batch. */
export function batchOf(
  values: readonly string[],
  options: { producerId?: number; transactional?: boolean; timestamp?: number } = {},
): Buffer {
  const writer = new BatchWriter(1024 * 1024);
  const headers = encodeHeaders([['from', Buffer.from('test')]]);
  for (const value of values) {
    const bytes = Buffer.from(value);
    writer.tryAppend(options.timestamp ?? 1000, null, 0, -1, bytes, 0, bytes.length, headers);
  }
  return writer.close({
    codec: 'none',
    producerId: options.producerId ?? -1,
    producerEpoch: options.producerId === undefined ? -1 : 0,
    baseSequence: options.producerId === undefined ? -1 : 0,
    ...(options.transactional && { transactional: true }),
  });
}

/** Appends one batch with these values to a partition; returns its first offset. */
export async function produce(
  process: SimProcess,
  topic: string,
  partition: number,
  values: readonly string[],
  timestamp = 1000,
): Promise<number> {
  const cluster = new Cluster(process, { bootstrap });
  const { topicId } = await cluster.topic(topic);
  const leader = cluster.partition(topic, partition)?.leaderId ?? -1;
  const response = await cluster.ask(leader, Produce, {
    acks: -1,
    timeoutMs: 1000,
    topicData: [
      {
        name: topic,
        topicId,
        partitionData: [{ index: partition, records: batchOf(values, { timestamp }) }],
      },
    ],
  });
  cluster.close();
  const answer = response.responses[0]?.partitionResponses[0];
  if (answer?.errorCode !== 0) throw new Error(`produce failed with ${answer?.errorCode}`);
  return answer.baseOffset;
}
