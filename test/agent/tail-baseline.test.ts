import { appendFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tail } from 'tail';
import { afterEach, expect, it } from 'vitest';
import { FailedRecords } from '../../agent/failed-records.js';
import { createChain, interceptors } from '../../agent/interceptors/index.js';
import { Positions } from '../../agent/positions.js';
import { FileSource, fileOptions } from '../../agent/sources/file/index.js';
import { createRealSystem } from '../../system/real/index.js';
import { FakeProducer, FakeTopics } from './fake-producer.js';
import { lines } from './file-world.js';

const system = createRealSystem();
const directory = mkdtempSync(join(tmpdir(), 'logflume-tail-'));
const path = join(directory, 'a.log');

afterEach(() => rmSync(path, { force: true }));

/** What logrotate does, with an application that goes on writing until it is told. */
function rotate(): void {
  appendFileSync(path, lines('before', 100));
  renameSync(path, `${path}.1`);
  appendFileSync(path, lines('after', 100));
}

async function until(condition: () => boolean, limitMs: number): Promise<void> {
  const deadline = system.clock.monotonic() + limitMs;
  while (!condition() && system.clock.monotonic() < deadline) await system.clock.sleep(10);
}

it('the tail package loses lines at a rename with re-creation', async () => {
  appendFileSync(path, '');
  const got: string[] = [];
  const tail = new Tail(path, { fromBeginning: true });
  tail.on('line', (line: string) => got.push(line));
  tail.on('error', () => {});
  rotate();
  await until(() => got.length === 200, 2500);
  tail.unwatch();
  expect(got.length).toBeLessThan(200);
});

it('the file source loses none', async () => {
  appendFileSync(path, '');
  const topics = new FakeTopics();
  const options = fileOptions.parse({
    ...{ include: [join(directory, '*.log')], topic: 't', key: '{path}' },
  });
  const producer = new FakeProducer(system.clock, topics);
  const failed = { directory: join(directory, 'failed'), topic: undefined };
  const source = new FileSource(
    {
      ...{ system, name: 'app', log: system.log, host: 'h', producer },
      failedRecords: new FailedRecords(system, producer, failed),
      chain: createChain(interceptors, [], { system, source: 'app' }),
      positions: (await Positions.open(system, directory)).of('app'),
      maxOpenFiles: Number.POSITIVE_INFINITY,
    },
    options,
  );
  await source.start();
  rotate();
  await until(() => topics.records.length >= 200, 10_000);
  await source.drain();
  await source.stop();
  expect(topics.contentOf(path)).toBe(lines('before', 100) + lines('after', 100));
  rmSync(directory, { recursive: true });
});
