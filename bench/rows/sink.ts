import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/peers/apache-kafka.js';
import { logflume, startLogflumeBroker, writeConfig } from '../../test/peers/logflume.js';
import { Program, run, type Usage } from '../../test/peers/process.js';
import { writeLines } from '../lines.js';
import { type Bench, mebibytes, median, perCpuSecond, type Row, thousands } from '../row.js';
import { createTopic, untilRecords } from '../topics.js';

const topic = 'lines';

function publishedBytes(directory: string): number {
  if (!existsSync(directory)) return 0;
  return readdirSync(directory, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith('_') && !name.startsWith('.'))
    .reduce((sum, entry) => {
      const path = join(directory, entry.name);
      return sum + (entry.isDirectory() ? publishedBytes(path) : statSync(path).size);
    }, 0);
}

async function archiveRound(bench: Bench, bootstrap: string, round: number, bytes: number) {
  const root = join(bench.directory, `archive-${round}`);
  const config = writeConfig(bench.directory, `sinks-${round}.yaml`, {
    data_dir: join(bench.directory, `sinks-${round}`),
    kafka: { bootstrap: [bootstrap] },
    sinks: {
      [`bench-${round}`]: {
        type: 'archive',
        topics: [topic],
        store: { type: 'local', root },
        format: 'lines',
        file_per: 'key',
        compression: 'none',
        rotate: { size: '128MiB', age: '10m', idle: '1s' },
      },
    },
  });
  const program = logflume(['sinks', '-c', config]);
  try {
    const deadline = Date.now() + 180_000;
    for (;;) {
      const usage = program.sample();
      const published = publishedBytes(root);
      if (published === bytes) return usage;
      if (published > bytes) throw new Error(`the archive has ${published} of ${bytes} bytes`);
      if (Date.now() > deadline) throw new Error(`the archive has ${published} of ${bytes} bytes`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    await program.stop();
  }
}

async function kcatRound(bench: Bench, bootstrap: string, bytes: number): Promise<Usage> {
  const out = join(bench.directory, 'kcat.out');
  const times = join(bench.directory, 'kcat.times');
  const script = `TIMEFORMAT='%U %S'; { time kcat -C -b ${bootstrap} -t ${topic} -o beginning -e -q > ${out}; } 2> ${times}; cat ${times}`;
  const program = new Program('bash', ['-c', script]);
  if ((await program.exited) !== 0) throw new Error(`kcat: ${program.stderr}`);
  if (statSync(out).size !== bytes) throw new Error(`kcat wrote ${statSync(out).size} of ${bytes}`);
  const [user, system] = program.stdout.trim().split(/\s+/).slice(-2).map(Number);
  await run('rm', ['-f', out]);
  const kernelSeconds = system ?? 0;
  return { cpuSeconds: (user ?? 0) + kernelSeconds, kernelSeconds, peakRssBytes: 0 };
}

/** Topic → local archive beside kcat into a file, both from our broker. */
export async function sinkRow(bench: Bench): Promise<Row> {
  const file = join(bench.directory, 'lines.log');
  const bytes = writeLines(file, bench.lineCount);
  const broker = await startLogflumeBroker(bench.directory, await freePort());
  const ours: Usage[] = [];
  const kcat: Usage[] = [];
  try {
    await createTopic(broker.bootstrap, topic);
    const config = writeConfig(bench.directory, 'fill.yaml', {
      data_dir: join(bench.directory, 'fill'),
      kafka: { bootstrap: [broker.bootstrap] },
      agent: {
        producer: { compression: 'lz4' },
        sources: { app: { type: 'file', include: [file], topic } },
      },
    });
    const fill = logflume(['agent', '-c', config]);
    await untilRecords(broker.bootstrap, topic, bench.lineCount, 300_000, () => undefined);
    await fill.stop();
    for (const round of [1, 2, 3]) {
      ours.push(await archiveRound(bench, broker.bootstrap, round, bytes));
      kcat.push(await kcatRound(bench, broker.bootstrap, bytes));
      bench.say(`sink round ${round}: ${JSON.stringify([ours.at(-1), kcat.at(-1)])}`);
    }
  } finally {
    await broker.stop();
  }
  const rate = (side: Usage[]): number =>
    median(side.map((usage) => perCpuSecond(bench.lineCount, usage.cpuSeconds)));
  const ratio = rate(ours) / rate(kcat);
  const peak = Math.max(...ours.map((usage) => usage.peakRssBytes));
  return {
    work: 'topic → local archive, uncompressed: lines per CPU-second of the sink',
    ours: `${thousands(rate(ours))}; ${mebibytes(peak)}`,
    peers: [`kcat to a file ${thousands(rate(kcat))}`],
    mustReach: '≥ 0.8× kcat',
    reached: `${ratio.toFixed(2)}×`,
    pass: ratio >= 0.8,
    settings: 'lz4 batches as our agent writes them; ours: one file per key, claims and checksums',
    delivered: `${bench.lineCount} lines, ${bytes} bytes in each round on both sides`,
    rounds: { ours, kcat },
  };
}
