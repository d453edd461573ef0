import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { hasApacheKafka } from '../test/peers/apache-kafka.js';
import { hasProgram, run } from '../test/peers/process.js';
import type { Bench, Row } from './row.js';
import { agentRow } from './rows/agent.js';
import { brokerRow } from './rows/broker.js';
import { libraryRows } from './rows/library.js';
import { sinkRow } from './rows/sink.js';
import { startRow } from './rows/start.js';

const rows: Record<string, (bench: Bench) => Promise<Row | Row[]>> = {
  agent: agentRow,
  broker: brokerRow,
  sink: sinkRow,
  library: libraryRows,
  start: startRow,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { scale: { type: 'string', default: '1' } },
});
const scale = Number(values.scale);

async function peerVersions(): Promise<Record<string, string>> {
  const first = async (command: string, args: string[]): Promise<string> => {
    const { stdout, stderr } = await run(command, args);
    return (stdout + stderr).split('\n').find((line) => /\d\.\d/.test(line)) ?? '?';
  };
  return {
    node: process.version,
    rsyslog: await first('rsyslogd', ['-v']),
    kcat: await first('kcat', ['-V']),
    java: await first('java', ['-version']),
  };
}

function requirePeers(): void {
  const missing = ['rsyslogd', 'kcat'].filter((name) => !hasProgram(name));
  if (!hasApacheKafka()) missing.push('java and mvn (for Apache Kafka)');
  if (missing.length === 0) return;
  console.error(`missing: ${missing.join(', ')}; a comparison without its peer says nothing`);
  process.exit(1);
}

function print(done: readonly Row[], versions: Readonly<Record<string, string>>): void {
  const table = new Table({ head: ['work', 'ours', 'beside', 'must reach', 'reached', ''] });
  for (const row of done) {
    const verdict = row.pass ? 'ok' : 'MISSED';
    table.push([row.work, row.ours, row.peers.join('\n'), row.mustReach, row.reached, verdict]);
  }
  console.log(table.toString());
  for (const { work, settings, delivered } of done) {
    console.log(`${work}\n  settings: ${settings}\n  delivered: ${delivered}`);
  }
  for (const [name, version] of Object.entries(versions)) console.log(`${name}: ${version}`);
}

requirePeers();
const done: Row[] = [];
for (const name of positionals.length > 0 ? positionals : Object.keys(rows)) {
  const measure = rows[name];
  if (measure === undefined) throw new Error(`no row ${name}; there are ${Object.keys(rows)}`);
  const directory = mkdtempSync(join(tmpdir(), `logflume-bench-${name}-`));
  const say = (text: string): void => console.error(text);
  try {
    const lineCount = Math.round(3_000_000 * scale);
    done.push(...[await measure({ directory, lineCount, scale, say })].flat());
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
const report = {
  date: new Date().toISOString(),
  machine: { cpu: cpus()[0]?.model, cores: cpus().length, memoryBytes: totalmem() },
  versions: await peerVersions(),
  scale,
  rows: done,
};
const results = join(import.meta.dirname, 'results');
mkdirSync(results, { recursive: true });
const file = join(results, `${report.date.slice(0, 10)}-${positionals.join('-') || 'all'}.json`);
writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
print(done, report.versions);
console.log(`${file}`);
process.exitCode = done.every((row) => row.pass) ? 0 : 1;
