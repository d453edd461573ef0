import { Consumer, Producer } from 'logflume';
import { type ClientJob, finish, readJob } from './job.js';

async function produce(job: ClientJob): Promise<number> {
  const producer = new Producer({
    bootstrap: [job.bootstrap],
    compression: 'none',
    acks: job.acks,
    idempotent: false,
  });
  const value = Buffer.alloc(job.valueBytes, 'x');
  for (let sent = 0; sent < job.count; sent += job.chunk) {
    const length = Math.min(job.chunk, job.count - sent);
    const records = Array.from({ length }, () => ({ topic: job.topic, value }));
    await producer.send(records);
  }
  await producer.close();
  return job.count;
}

async function consume(job: ClientJob): Promise<number> {
  const consumer = new Consumer({ bootstrap: [job.bootstrap], autoOffsetReset: 'earliest' });
  await consumer.assign([{ topic: job.topic, partition: 0 }]);
  let count = 0;
  let bytes = 0;
  for await (const batch of consumer.batches()) {
    const cursor = batch.cursor();
    while (cursor.next()) {
      count++;
      bytes += cursor.valueEnd - cursor.valueStart;
    }
    batch.release();
    if (count >= job.count) break;
  }
  await consumer.close();
  if (bytes !== count * job.valueBytes) throw new Error(`${bytes} bytes in ${count} records`);
  return count;
}

const job = readJob();
finish(job, await (job.mode === 'produce' ? produce(job) : consume(job)));
