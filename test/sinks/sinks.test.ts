import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Broker } from '../../broker/index.js';
import { Producer } from '../../client/index.js';
import { listArchive, openStore, Sinks, sinksSection, verifyArchive } from '../../sinks/index.js';
import { createRealSystem } from '../../system/real/index.js';

const system = createRealSystem({ logLevel: 'error' });
let directory: string;
let broker: Broker;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'logflume-sinks-'));
  broker = await Broker.start({ dataDir: join(directory, 'broker') }, system);
});
afterEach(async () => {
  await broker.stop();
  rmSync(directory, { recursive: true, force: true });
});

function startSinks(sinks: Record<string, unknown>): Promise<Sinks> {
  return Sinks.start(system, {
    config: sinksSection.parse(sinks),
    kafka: { bootstrap: [broker.address] },
    dataDir: join(directory, 'sinks'),
  });
}

function files(root: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((name) => !/(^|\/)[_.]/.test(name))
    .sort();
}

async function produce(values: readonly string[], key: string | null = null): Promise<void> {
  const producer = new Producer({ bootstrap: [broker.address] }, system);
  await producer.send(values.map((value) => ({ topic: 'logs', key, value, timestamp: 0 })));
  await producer.close();
}

describe('the archive sink on a broker', () => {
  it('archives a topic, and goes on after a restart', async () => {
    const root = join(directory, 'archive');
    const config = {
      archive: { type: 'archive', topics: ['logs'], store: { type: 'local', root } },
    };
    const first = await startSinks(config);
    await produce(['one', 'two', 'three'], 'host:/a');
    expect(await first.drain(20_000)).toBe(true);
    await first.stop();
    await produce(['four'], 'host:/a');
    const second = await startSinks(config);
    expect(await second.drain(20_000)).toBe(true);
    const status = second.status().archive;
    expect(status).toMatchObject({
      type: 'archive',
      group: 'logflume-archive',
      records: 1,
      lag: 0,
    });
    await second.stop();

    const contents = files(root).map((name) => readFileSync(join(root, name), 'utf8'));
    expect(contents.join('')).toBe('one\ntwo\nthree\nfour\n');
    const store = openStore(system, { type: 'local', root }, 'test');
    expect(await verifyArchive(store)).toMatchObject({ problems: [], records: 4, openClaims: 0 });
    expect((await listArchive(store)).map(({ state }) => state)).toEqual(['done', 'done']);
  });
});
