import { readdirSync } from 'node:fs';
import { Kafka, logLevel } from 'kafkajs';

const adminOf = (bootstrap: string) =>
  new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING }).admin();

/** Creates a topic of one partition; through kafkajs, so that no side measures itself. */
export async function createTopic(bootstrap: string, topic: string, partitions = 1): Promise<void> {
  const admin = adminOf(bootstrap);
  await admin.connect();
  await admin.createTopics({
    topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }],
    waitForLeaders: true,
  });
  await admin.disconnect();
}

/** Deletes a topic and waits until its files are gone from the broker's log directory. */
export async function deleteTopic(
  bootstrap: string,
  topic: string,
  logDirectory: string,
): Promise<void> {
  const admin = adminOf(bootstrap);
  await admin.connect();
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
  const deadline = Date.now() + 30_000;
  while (readdirSync(logDirectory).some((name) => name.startsWith(topic))) {
    if (Date.now() > deadline) throw new Error(`${topic} is still in ${logDirectory}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Resolves with the number of records once a topic has at least `count`. */
export async function untilRecords(
  bootstrap: string,
  topic: string,
  count: number,
  timeoutMs: number,
  eachLook: () => void,
): Promise<number> {
  const admin = adminOf(bootstrap);
  await admin.connect();
  try {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      eachLook();
      const offsets = await admin.fetchTopicOffsets(topic);
      const records = offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
      if (records >= count) return records;
      if (Date.now() > deadline) throw new Error(`${topic} has ${records} of ${count} records`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally {
    await admin.disconnect();
  }
}
