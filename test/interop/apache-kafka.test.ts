import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Producer } from 'logflume';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  apacheKafkaClasspath,
  freePort,
  hasApacheKafka,
  kafkaTool,
  startApacheKafka,
} from '../peers/apache-kafka.js';
import { logflume, startLogflumeBroker, temporaryFolder, writeConfig } from '../peers/logflume.js';
import { present } from '../peers/process.js';

const found = present('java with mvn (for Apache Kafka)', hasApacheKafka());
const tools = 'org.apache.kafka.tools';

/** All archived bytes below a root, in the order of the file names (key, then offsets). */
function archivedBytes(root: string): Buffer {
  const files: string[] = [];
  const walk = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.name.startsWith('_') || entry.name.startsWith('.')) continue;
      const path = join(directory, entry.name);
      if (entry.isDirectory()) walk(path);
      else files.push(path);
    }
  };
  walk(root);
  files.sort((a, b) => (startOf(a) < startOf(b) ? -1 : 1));
  return Buffer.concat(files.map((path) => readFileSync(path)));
}

const startOf = (path: string): string => /\+(\d{20})\+\d{20}\./.exec(path)?.[1] ?? path;

async function until(what: string, done: () => boolean, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!done()) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe.skipIf(!found)('our agent and sinks on Apache Kafka', () => {
  const folder = temporaryFolder('on-kafka');
  let kafka: Awaited<ReturnType<typeof startApacheKafka>>;

  beforeAll(async () => {
    await apacheKafkaClasspath();
    kafka = await startApacheKafka(join(folder.path, 'kafka'));
  });
  afterAll(async () => {
    await kafka?.stop();
    folder.remove();
  });

  it('archives what was written, byte for byte, with nothing changed but kafka.bootstrap', async () => {
    const log = join(folder.path, 'app.log');
    const root = join(folder.path, 'archive');
    const text = Array.from(
      { length: 50_000 },
      (_, n) => `line ${n} ${'y'.repeat(n % 120)}\n`,
    ).join('');
    writeFileSync(log, text);
    const config = writeConfig(folder.path, 'agent-and-sinks.yaml', {
      data_dir: join(folder.path, 'data'),
      kafka: { bootstrap: [kafka.bootstrap] },
      agent: {
        producer: { compression: 'lz4' },
        sources: { app: { type: 'file', include: [log], topic: 'app-logs' } },
      },
      sinks: {
        archive: {
          type: 'archive',
          topics: ['app-logs'],
          store: { type: 'local', root },
          format: 'lines',
          file_per: 'key',
          compression: 'none',
          rotate: { size: '1MiB', idle: '1s' },
        },
      },
    });
    const agent = logflume(['agent', '-c', config]);
    const sinks = logflume(['sinks', '-c', config]);
    try {
      await until('the archive', () => {
        try {
          return archivedBytes(root).length >= text.length;
        } catch {
          return false;
        }
      });
    } finally {
      expect(await agent.stop()).toBe(0);
      expect(await sinks.stop()).toBe(0);
    }
    expect(archivedBytes(root).equals(Buffer.from(text))).toBe(true);
    const verify = logflume(['archive', 'verify', '-c', config]);
    expect(await verify.exited, verify.stdout + verify.stderr).toBe(0);
  });
});

describe.skipIf(!found)("Apache Kafka's tools on our broker", () => {
  const folder = temporaryFolder('kafka-tools');
  let broker: Awaited<ReturnType<typeof startLogflumeBroker>>;

  beforeAll(async () => {
    await apacheKafkaClasspath();
    broker = await startLogflumeBroker(folder.path, await freePort(), {
      properties: { 'log.segment.bytes': 1_048_576 },
    });
  });
  afterAll(async () => {
    await broker?.stop();
    folder.remove();
  });

  it('ProducerPerformance and ConsumerPerformance run', async () => {
    const produced = await kafkaTool(`${tools}.ProducerPerformance`, [
      ...['--topic', 'perf', '--num-records', '100000', '--record-size', '200'],
      ...['--throughput', '-1', '--producer-props', `bootstrap.servers=${broker.bootstrap}`],
      'compression.type=lz4',
    ]);
    expect(produced.stdout).toMatch(/100000 records sent/);
    const consumed = await kafkaTool(`${tools}.ConsumerPerformance`, [
      ...['--bootstrap-server', broker.bootstrap, '--topic', 'perf', '--messages', '100000'],
      ...['--timeout', '30000'],
    ]);
    const table = consumed.stdout.split('\n').map((line) => line.split(', '));
    const header = table.findIndex((cells) => cells.includes('data.consumed.in.nMsg'));
    const column = table[header]?.indexOf('data.consumed.in.nMsg') ?? -1;
    expect(Number(table[header + 1]?.[column]), consumed.stdout).toBeGreaterThanOrEqual(100_000);
  });

  it('DumpLogSegments reads our logs and indexes without complaint', async () => {
    for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const producer = new Producer({ bootstrap: [broker.bootstrap], compression });
      const records = Array.from({ length: 20_000 }, (_, n) => ({
        topic: 'dumped',
        partition: 0,
        key: Buffer.from(`key ${n}`),
        value: Buffer.from(`value ${n} ${'z'.repeat(n % 300)}`),
        headers: [['header', Buffer.from('content')] as [string, Buffer]],
      }));
      await producer.send(records);
      await producer.close();
    }
    const directory = join(folder.path, 'data/broker/dumped-0');
    await broker.stop();
    const names = readdirSync(directory);
    const logs = names.filter((name) => name.endsWith('.log')).map((name) => join(directory, name));
    expect(logs.length).toBeGreaterThan(2);
    const { stdout } = await kafkaTool(`${tools}.DumpLogSegments`, [
      ...['--deep-iteration', '--print-data-log', '--files', logs.join(',')],
    ]);
    expect(stdout).not.toMatch(/isvalid: false|mismatch|corrupt|exception/i);
    expect(stdout.match(/^\| offset: /gm)?.length).toBe(100_000);
    const indexes = names
      .filter((name) => /\.(time)?index$/.test(name))
      .map((name) => join(directory, name));
    const sanity = await kafkaTool(`${tools}.DumpLogSegments`, [
      ...['--index-sanity-check', '--files', indexes.join(',')],
    ]);
    expect(sanity.stdout.match(/passed sanity check/g)?.length).toBe(indexes.length);
    const verified = await kafkaTool(`${tools}.DumpLogSegments`, [
      ...['--verify-index-only', '--files', indexes.join(',')],
    ]);
    expect(verified.stdout + verified.stderr).not.toMatch(/mismatch|Index offset:|exception/i);
    const snapshots = names.filter((name) => name.endsWith('.snapshot'));
    for (const snapshot of snapshots) {
      const dump = await kafkaTool(`${tools}.DumpLogSegments`, [
        '--files',
        join(directory, snapshot),
      ]);
      expect(dump.stdout + dump.stderr).not.toMatch(/corrupt|exception/i);
    }
    const offsets = readdirSync(join(folder.path, 'data/broker')).filter((name) =>
      name.startsWith('__consumer_offsets-'),
    );
    expect(offsets.length).toBeGreaterThan(0);
    for (const name of offsets) {
      const file = join(folder.path, 'data/broker', name, `${'0'.repeat(20)}.log`);
      const dump = await kafkaTool(`${tools}.DumpLogSegments`, [
        ...['--deep-iteration', '--offsets-decoder', '--files', file],
      ]);
      expect(dump.stdout + dump.stderr).not.toMatch(/isvalid: false|exception/i);
    }
  });
});
