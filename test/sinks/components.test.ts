import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Broker } from '../../broker/index.js';
import { archivesReach, reachData, reachText } from '../../cli/archive-reach.js';
import { archivesOfFile } from '../../cli/archive-stores.js';
import { judge } from '../../cli/demo/index.js';
import { hashOf } from '../../cli/demo/journal.js';
import { probesOf } from '../../cli/probes.js';
import type { LoadedWhole } from '../../cli/whole-config.js';
import { Admin, Producer } from '../../client/index.js';
import { z } from '../../config/index.js';
import type { FormatComponent } from '../../sinks/archive/formats/index.js';
import {
  archivesOf,
  listArchive,
  type SinkComponents,
  Sinks,
  sinkComponents,
  sinksSection,
  verifyArchive,
} from '../../sinks/index.js';
import { createRealSystem } from '../../system/real/index.js';
import { makeBucket, memory } from './archive/stores/memory.js';

const shout: FormatComponent = {
  type: 'shout',
  schema: z.object({}).describe('The values in capitals.'),
  create: () => ({
    extension: 'txt',
    isFilePerRecord: false,
    write(out, { bytes, valueStart, valueEnd }) {
      out.text(`${bytes.toString('utf8', valueStart, valueEnd).toUpperCase()}!\n`);
    },
  }),
};

/** As plugins would add to it. */
const components: SinkComponents = {
  sinks: sinkComponents.sinks,
  stores: [...sinkComponents.stores, memory],
  formats: [...sinkComponents.formats, shout],
};

const system = createRealSystem({ logLevel: 'error' });
let directory: string;
let broker: Broker;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'logflume-components-'));
  broker = await Broker.start({ dataDir: join(directory, 'broker') }, system);
});
afterAll(async () => {
  await broker.stop();
  rmSync(directory, { recursive: true, force: true });
});

const inBucket = (bucket: string, more = {}) => ({
  type: 'archive',
  topics: ['logs'],
  store: { type: 'memory', bucket, staging: join(directory, 'staging') },
  ...more,
});

const mistakes = (sinks: Record<string, unknown>) =>
  sinksSection(components)
    .safeParse(sinks)
    .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);

/** A file with these sinks and no broker of its own, as the commands have it. */
function loaded(sinks: Record<string, unknown>): LoadedWhole {
  const config = sinksSection(components).parse(sinks);
  const document = { kafka: { bootstrap: [broker.address] } };
  return {
    config: { data_dir: join(directory, 'data'), drain_timeout: 1_000, sinks: config },
    document,
    archives: archivesOf(config, components),
    components: { sources: [], interceptors: [], ...components },
    schema: z.strictObject({}) as never,
    fail: () => expect.fail('it has mistakes'),
  };
}

async function archiveOnce(sinks: LoadedWhole['config']['sinks']): Promise<void> {
  const running = await Sinks.start(system, {
    config: sinks ?? {},
    components,
    kafka: { bootstrap: [broker.address] },
    dataDir: join(directory, 'sinks'),
  });
  expect(await running.drain(20_000)).toBe(true);
  await running.stop();
}

async function produce(topic: string, values: readonly string[]): Promise<void> {
  const producer = new Producer({ bootstrap: [broker.address] }, system);
  await producer.send(values.map((value) => ({ topic, key: null, value, timestamp: 0 })));
  await producer.close();
}

describe('a store of one’s own', () => {
  it('is refused twice for a topic, in its own words', () => {
    expect(mistakes({ a: inBucket('x'), b: inBucket('x') })).toEqual([
      'b.store.bucket: is the archive of the sink "a" too, and both take topic logs: every ' +
        'record would be there twice; give one of them another bucket',
    ]);
    expect(mistakes({ a: inBucket('x'), b: inBucket('y') })).toBeUndefined();
    const local = { ...inBucket('x'), store: { type: 'local', root: 'x' } };
    expect(mistakes({ a: inBucket('x'), b: local })).toBeUndefined();
  });

  it('is unknown to who was not told of it', () => {
    expect(sinksSection().safeParse({ a: inBucket('x') }).success).toBe(false);
    const shouting = { ...inBucket('x', { format: 'shout' }), store: { type: 'local', root: 'x' } };
    expect(sinksSection().safeParse({ a: shouting }).success).toBe(false);
    expect(mistakes({ a: shouting })).toBeUndefined();
  });

  it('is archived to, listed, verified and told of like any other', async () => {
    const bucket = makeBucket('logs');
    const file = loaded({ all: inBucket('logs', { format: 'shout' }) });
    await produce('logs', ['one', 'two']);
    await archiveOnce(file.config.sinks);
    const [name = ''] = [...bucket.keys()].filter((each) => each.endsWith('.txt'));
    expect(String(bucket.get(name))).toBe('ONE!\nTWO!\n');

    const [archive] = archivesOfFile(file);
    const store = archive?.open({ system, writer: 'test' });
    if (archive === undefined || store === undefined) throw new Error('there is no archive');
    expect((await listArchive(store)).map((each) => each.name)).toEqual([name]);
    expect((await verifyArchive(store)).problems).toEqual([]);
    const admin = new Admin({ bootstrap: [broker.address] }, system);
    const elsewhere = archivesOfFile(loaded({ b: inBucket('nowhere') }));
    const reach = await archivesReach(system, admin, [archive, ...elsewhere]);
    admin.close();
    expect(reachData(reach)).toMatchObject([
      { root: 'memory of logs', present: true, partitions: [{ sink: 'all', archivedTo: 2 }] },
      { root: 'memory of nowhere', present: false, partitions: [] },
    ]);
    expect(reachText(reach)).toMatch(/memory of nowhere +no such bucket here/);
  });

  it('is looked at by config test, each archive once', async () => {
    makeBucket('logs');
    const mails = { ...inBucket('logs'), topics: ['mail'] };
    const file = loaded({ a: inBucket('logs'), mails, b: inBucket('gone') });
    const findings = (await Promise.all(probesOf(system, file, 1_000))).flat();
    expect(findings.filter(({ what }) => what.startsWith('archive'))).toEqual([
      { outcome: 'good', what: 'archive: the bucket logs is there' },
      { outcome: 'bad', what: 'archive', why: 'there is no bucket gone' },
    ]);
  });

  it('is judged by the demo', async () => {
    makeBucket('mails');
    const file = loaded({ letters: { ...inBucket('mails', { format: 'eml' }), topics: ['mail'] } });
    const mail = 'Subject: x\r\n\r\nx';
    await produce('mail', [mail]);
    await archiveOnce(file.config.sinks);
    const journal = join(directory, 'journal');
    system.disk.makeDirectorySync(journal);
    const entry = { name: 'a.eml', bytes: mail.length, sha256: hashOf(Buffer.from(mail)) };
    system.disk.replaceFileSync(join(journal, 'mails.jsonl'), `${JSON.stringify(entry)}\n`);
    const store = file.archives.get('letters')?.open({ system, writer: 'demo' });
    if (store === undefined) throw new Error('there is no archive');
    const evidence = { journal, logs: undefined, mails: { store, topic: 'mail' } };
    const verdict = await judge(system.disk, evidence);
    expect(verdict).toEqual({ good: true, lines: ['mails: 1 as written'] });
    makeBucket('mails');
    expect((await judge(system.disk, evidence)).good).toBe(false);
  });
});
