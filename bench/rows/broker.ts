import { join } from 'node:path';
import {
  apacheKafkaVersion,
  freePort,
  kafkaTool,
  startApacheKafka,
} from '../../test/peers/apache-kafka.js';
import { startLogflumeBroker } from '../../test/peers/logflume.js';
import type { Program } from '../../test/peers/process.js';
import { type Bench, mean, mebibytes, type Row, thousands } from '../row.js';
import { createTopic, deleteTopic, untilRecords } from '../topics.js';

const recordBytes = 200;
const producerSettings = ['acks=1', 'batch.size=131072', 'linger.ms=5', 'compression.type=none'];
/**
 * Files of a topic are removed right after its round: a machine's memory is cheap only once the
 * page cache has used it, and otherwise both sides pay for the machine.
 */
const properties = { 'log.segment.delete.delay.ms': '1000' };

interface Round {
  readonly cpuSecondsPerGb: number;
  readonly kernelSecondsPerGb: number;
  readonly recordsPerSecond: number;
  readonly delivered: number;
  readonly peakRssBytes: number;
}

interface Side {
  readonly bootstrap: string;
  readonly program: Program;
  readonly logDirectory: string;
}

async function produceRound(side: Side, topic: string, records: number): Promise<Round> {
  const { bootstrap, program, logDirectory } = side;
  await createTopic(bootstrap, topic);
  const gigabytes = (records * recordBytes) / 1e9;
  const before = program.sample();
  const { stdout } = await kafkaTool('org.apache.kafka.tools.ProducerPerformance', [
    ...['--topic', topic, '--num-records', String(records), '--record-size', String(recordBytes)],
    ...['--throughput', '-1', '--producer-props', `bootstrap.servers=${bootstrap}`],
    ...producerSettings,
  ]);
  const after = program.sample();
  const delivered = await untilRecords(bootstrap, topic, records, 10_000, () => undefined);
  await deleteTopic(bootstrap, topic, logDirectory);
  const rate = /([\d.]+) records\/sec[^\n]*\n?$/.exec(stdout.trim())?.[1];
  return {
    cpuSecondsPerGb: (after.cpuSeconds - before.cpuSeconds) / gigabytes,
    kernelSecondsPerGb: (after.kernelSeconds - before.kernelSeconds) / gigabytes,
    recordsPerSecond: Number(rate),
    delivered,
    peakRssBytes: after.peakRssBytes,
  };
}

const counts = (side: Round[]): string => side.map(({ delivered }) => delivered).join(', ');

/** Our broker beside Apache Kafka, Kafka's own ProducerPerformance as the client of both. */
export async function brokerRow(bench: Bench): Promise<Row> {
  const records = Math.round(5_000_000 * bench.scale);
  const ours = await startLogflumeBroker(bench.directory, await freePort(), { properties });
  const kafka = await startApacheKafka(join(bench.directory, 'apache-kafka'), properties);
  const sides = {
    ours: { ...ours, logDirectory: join(bench.directory, 'data/broker') },
    kafka: { ...kafka, logDirectory: join(bench.directory, 'apache-kafka/logs') },
  };
  const rounds: { ours: Round[]; kafka: Round[] } = { ours: [], kafka: [] };
  try {
    // A whole round: the JVM takes as long until it is fast.
    await produceRound(sides.ours, 'warm-up', records);
    await produceRound(sides.kafka, 'warm-up', records);
    for (const round of [1, 2, 3]) {
      const topic = `perf-${round}`;
      rounds.ours.push(await produceRound(sides.ours, topic, records));
      rounds.kafka.push(await produceRound(sides.kafka, topic, records));
      bench.say(
        `broker round ${round}: ${JSON.stringify([rounds.ours.at(-1), rounds.kafka.at(-1)])}`,
      );
    }
  } finally {
    await ours.stop();
    await kafka.stop();
  }
  // All rounds together, no median: a JVM goes on compiling for gigabytes, and that is its cost too.
  const cpu = (side: Round[]): number => mean(side.map((round) => round.cpuSecondsPerGb));
  const rate = (side: Round[]): number => 1 / mean(side.map((round) => 1 / round.recordsPerSecond));
  const ratio = cpu(rounds.ours) / cpu(rounds.kafka);
  const inRounds = rounds.ours.map(({ cpuSecondsPerGb }, index) =>
    (cpuSecondsPerGb / (rounds.kafka[index]?.cpuSecondsPerGb ?? Number.NaN)).toFixed(2),
  );
  const speed = rate(rounds.ours) / rate(rounds.kafka);
  const memory = (side: Round[]): string => mebibytes(Math.max(...side.map((r) => r.peakRssBytes)));
  const words = (side: Round[]): string =>
    `${cpu(side).toFixed(2)} CPU-s/GB, ${thousands(rate(side))} records/s, ${memory(side)}`;
  return {
    work: 'our broker: produce, 200 B records, ProducerPerformance as the client',
    ours: words(rounds.ours),
    peers: [`Apache Kafka ${apacheKafkaVersion} ${words(rounds.kafka)}`],
    mustReach: '≤ 0.5× the CPU, at no fewer records/s',
    reached:
      `${ratio.toFixed(2)}× the CPU (${inRounds.join(', ')} in the rounds), ` +
      `${speed.toFixed(2)}× the records/s`,
    pass: ratio <= 0.5 && speed >= 1,
    settings: `${recordBytes} B records, uncompressed; ${producerSettings.join(', ')}`,
    delivered: `${counts(rounds.ours)} records to ours, ${counts(rounds.kafka)} to Kafka`,
    rounds,
  };
}
