import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/peers/apache-kafka.js';
import { logflume, startLogflumeBroker, writeConfig } from '../../test/peers/logflume.js';
import { Program, run, type Usage } from '../../test/peers/process.js';
import { writeLines } from '../lines.js';
import { type Bench, mebibytes, perCpuSecond, type Row, thousands } from '../row.js';
import { createTopic, untilRecords } from '../topics.js';

interface Side {
  readonly delivered: number;
  readonly usage: Usage;
}

async function deliver(
  bootstrap: string,
  topic: string,
  count: number,
  start: () => Program,
): Promise<Side> {
  await createTopic(bootstrap, topic);
  const program = start();
  try {
    const delivered = await untilRecords(bootstrap, topic, count, 300_000, () => program.sample());
    return { delivered, usage: program.sample() };
  } finally {
    await program.stop();
  }
}

function rsyslogConfig(directory: string, file: string, bootstrap: string, topic: string): string {
  const path = join(directory, 'rsyslog.conf');
  writeFileSync(
    path,
    `module(load="imfile")
module(load="omkafka")
global(workDirectory="${directory}" maxMessageSize="64k")
main_queue(queue.type="LinkedList" queue.size="100000" queue.dequeueBatchSize="2048")
template(name="line" type="string" string="%rawmsg%")
input(type="imfile" File="${file}" Tag="app" freshStartTail="off")
action(type="omkafka" broker=["${bootstrap}"] topic="${topic}" template="line"
  key="${file}" partitions.auto="on"
  confParam=["compression.codec=lz4","acks=1","linger.ms=20","queue.buffering.max.messages=200000"])
`,
  );
  return path;
}

/** File → our broker: our agent beside rsyslog with omkafka, in turn, on the same file. */
export async function agentRow(bench: Bench): Promise<Row> {
  const file = join(bench.directory, 'lines.log');
  const bytes = writeLines(file, bench.lineCount);
  const broker = await startLogflumeBroker(bench.directory, await freePort());
  const ours: Side[] = [];
  const theirs: Side[] = [];
  try {
    for (const round of [1, 2, 3]) {
      const topic = `ours-${round}`;
      const config = writeConfig(bench.directory, `${topic}.yaml`, {
        data_dir: join(bench.directory, topic),
        kafka: { bootstrap: [broker.bootstrap] },
        agent: {
          producer: { compression: 'lz4' },
          sources: { app: { type: 'file', include: [file], topic } },
        },
      });
      ours.push(
        await deliver(broker.bootstrap, topic, bench.lineCount, () =>
          logflume(['agent', '-c', config]),
        ),
      );
      const other = `rsyslog-${round}`;
      const state = join(bench.directory, other);
      await run('mkdir', ['-p', state]);
      const conf = rsyslogConfig(state, file, broker.bootstrap, other);
      theirs.push(
        await deliver(
          broker.bootstrap,
          other,
          bench.lineCount,
          () => new Program('rsyslogd', ['-n', '-f', conf, '-i', join(state, 'pid')]),
        ),
      );
      bench.say(`agent round ${round}: ${JSON.stringify([ours.at(-1), theirs.at(-1)])}`);
    }
  } finally {
    await broker.stop();
  }
  return judge(bytes, ours, theirs);
}

const counts = (side: Side[]): string => side.map(({ delivered }) => delivered).join(', ');

function judge(bytes: number, ours: Side[], theirs: Side[]): Row {
  const rate = (side: Side): number => perCpuSecond(side.delivered, side.usage.cpuSeconds);
  const byRate = (a: Side, b: Side): number => rate(a) - rate(b);
  const [our, their] = [ours.toSorted(byRate)[1], theirs.toSorted(byRate)[1]];
  if (our === undefined || their === undefined) throw new Error('a round is missing');
  const peak = Math.max(...ours.map((side) => side.usage.peakRssBytes));
  const ratio = rate(our) / rate(their);
  return {
    work: 'file → our broker: lines per CPU-second of the agent; peak memory',
    ours: `${thousands(rate(our))}; ${mebibytes(peak)}`,
    peers: [`rsyslog omkafka ${thousands(rate(their))}; ${mebibytes(their.usage.peakRssBytes)}`],
    mustReach: '≥ 3× rsyslog; ≤ 150 MiB',
    reached: `${ratio.toFixed(2)}×; ${mebibytes(peak)}`,
    pass: ratio >= 3 && peak <= 150 * 1_048_576,
    settings: `one file of ${bytes} bytes; lz4; acks: ours all and idempotent, rsyslog 1`,
    delivered: `${counts(ours)} lines by ours, ${counts(theirs)} by rsyslog`,
    rounds: { ours, theirs },
  };
}
