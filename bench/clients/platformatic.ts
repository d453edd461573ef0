import { Consumer, Producer } from '@platformatic/kafka';
import { type ClientJob, finish, readJob } from './job.js';

async function produce(job: ClientJob): Promise<number> {
  const producer = new Producer({
    clientId: 'bench',
    bootstrapBrokers: [job.bootstrap],
    acks: job.acks,
    autocreateTopics: false,
  });
  const value = Buffer.alloc(job.valueBytes, 'x');
  for (let sent = 0; sent < job.count; sent += job.chunk) {
    const length = Math.min(job.chunk, job.count - sent);
    await producer.send({
      acks: job.acks,
      messages: Array.from({ length }, () => ({ topic: job.topic, value })),
    });
  }
  await producer.close();
  return job.count;
}

async function consume(job: ClientJob): Promise<number> {
  const consumer = new Consumer({
    clientId: 'bench',
    groupId: `platformatic-${process.pid}`,
    bootstrapBrokers: [job.bootstrap],
    maxBytes: 4 * 1_048_576,
  });
  const stream = await consumer.consume({
    topics: [job.topic],
    mode: 'earliest',
    autocommit: false,
  });
  let count = 0;
  let bytes = 0;
  for await (const message of stream) {
    count++;
    bytes += message.value?.length ?? 0;
    if (count >= job.count) break;
  }
  if (bytes !== count * job.valueBytes) throw new Error(`${bytes} bytes in ${count} records`);
  return count;
}

const job = readJob();
finish(job, await (job.mode === 'produce' ? produce(job) : consume(job)));
