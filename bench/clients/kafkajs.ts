import { CompressionTypes, Kafka, logLevel } from 'kafkajs';
import { detach } from '../../system/index.js';
import { type ClientJob, finish, readJob } from './job.js';

const clientOf = (job: ClientJob): Kafka =>
  new Kafka({ brokers: [job.bootstrap], logLevel: logLevel.NOTHING });

async function produce(job: ClientJob): Promise<number> {
  const producer = clientOf(job).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const value = Buffer.alloc(job.valueBytes, 'x');
  for (let sent = 0; sent < job.count; sent += job.chunk) {
    const length = Math.min(job.chunk, job.count - sent);
    await producer.send({
      topic: job.topic,
      acks: job.acks,
      compression: CompressionTypes.None,
      messages: Array.from({ length }, () => ({ value })),
    });
  }
  await producer.disconnect();
  return job.count;
}

async function consume(job: ClientJob): Promise<number> {
  const consumer = clientOf(job).consumer({
    groupId: `kafkajs-${process.pid}`,
    maxBytesPerPartition: 4 * 1_048_576,
  });
  await consumer.connect();
  await consumer.subscribe({ topic: job.topic, fromBeginning: true });
  let count = 0;
  let bytes = 0;
  await new Promise<void>((resolve, reject) => {
    const running = consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        for (const message of batch.messages) {
          count++;
          bytes += message.value?.length ?? 0;
        }
        if (count >= job.count) resolve();
      },
    });
    detach(running, reject);
  });
  if (bytes !== count * job.valueBytes) throw new Error(`${bytes} bytes in ${count} records`);
  return count;
}

const job = readJob();
finish(job, await (job.mode === 'produce' ? produce(job) : consume(job)));
