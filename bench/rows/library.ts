import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/peers/apache-kafka.js';
import { startLogflumeBroker } from '../../test/peers/logflume.js';
import { Program } from '../../test/peers/process.js';
import type { ClientJob, ClientResult } from '../clients/job.js';
import { type Bench, median, type Row, thousands } from '../row.js';
import { createTopic, untilRecords } from '../topics.js';

const libraries = ['logflume', 'kafkajs', 'platformatic'] as const;
type Library = (typeof libraries)[number];
type Mode = ClientJob['mode'];

const packageOf: Record<Library, string> = {
  logflume: '',
  kafkajs: 'node_modules/kafkajs/',
  platformatic: 'node_modules/@platformatic/kafka/',
};

function versionOf(library: Library): string {
  const file = join(import.meta.dirname, '../..', packageOf[library], 'package.json');
  const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  return `${name} ${version}`;
}

async function runClient(library: Library, job: ClientJob): Promise<ClientResult> {
  const script = join(import.meta.dirname, '../clients', `${library}.ts`);
  const program = new Program(process.execPath, ['--import', 'tsx', script, JSON.stringify(job)]);
  const limit = setTimeout(() => program.child.kill('SIGKILL'), 180_000);
  const code = await program.exited;
  clearTimeout(limit);
  if (code !== 0) throw new Error(`${library} ${job.mode}: exit ${code} ${program.stderr}`);
  const result = JSON.parse(program.stdout.trim().split('\n').at(-1) ?? '') as ClientResult;
  if (result.count < job.count) throw new Error(`${library}: ${result.count} of ${job.count}`);
  return result;
}

/** The library's producer and consumer beside the two clients for Node, on our broker. */
export async function libraryRows(bench: Bench): Promise<Row[]> {
  const count = Math.round(1_000_000 * bench.scale);
  const base = { count, valueBytes: 200, chunk: 4_000, acks: 1, startedMs: 0 } as const;
  const broker = await startLogflumeBroker(bench.directory, await freePort());
  const results: Record<Mode, Record<Library, ClientResult[]>> = {
    produce: { logflume: [], kafkajs: [], platformatic: [] },
    consume: { logflume: [], kafkajs: [], platformatic: [] },
  };
  const { bootstrap } = broker;
  try {
    for (const round of [1, 2, 3]) {
      for (const library of libraries) {
        const topic = `${library}-${round}`;
        await createTopic(bootstrap, topic);
        const job = { ...base, bootstrap, topic };
        results.produce[library].push(await runClient(library, { ...job, mode: 'produce' }));
        await untilRecords(bootstrap, topic, count, 10_000, () => undefined);
      }
      for (const library of libraries) {
        const job = { ...base, bootstrap, topic: `logflume-${round}` };
        results.consume[library].push(await runClient(library, { ...job, mode: 'consume' }));
      }
      bench.say(`library round ${round}: ${JSON.stringify(results)}`);
    }
  } finally {
    await broker.stop();
  }
  return [
    judge('produce', 5, base.chunk, results.produce),
    judge('consume', 2, base.chunk, results.consume),
  ];
}

function judge(
  mode: Mode,
  atLeast: number,
  chunk: number,
  results: Record<Library, ClientResult[]>,
): Row {
  const rate = (library: Library): number =>
    median(results[library].map(({ count, cpuSeconds }) => count / cpuSeconds));
  const ratio = rate('logflume') / Math.max(rate('kafkajs'), rate('platformatic'));
  return {
    work: `library ${mode}r, 200 B values: records per CPU-second`,
    ours: thousands(rate('logflume')),
    peers: [
      `${versionOf('kafkajs')} ${thousands(rate('kafkajs'))}`,
      `${versionOf('platformatic')} ${thousands(rate('platformatic'))}`,
    ],
    mustReach: `≥ ${atLeast}× the better of them`,
    reached: `${ratio.toFixed(2)}×`,
    pass: ratio >= atLeast,
    settings: `200 B values, uncompressed, acks 1, ${chunk} records a call`,
    delivered: libraries
      .map((library) => `${results[library].map(({ count }) => count).join(', ')} by ${library}`)
      .join('; '),
    rounds: results,
  };
}
