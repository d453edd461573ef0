import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Agent, agentSection } from '../agent/index.js';
import { Broker } from '../broker/index.js';
import { kafkaSection } from '../client/section/index.js';
import { Sinks, sinksSection } from '../sinks/index.js';
import { createRealSystem } from '../system/real/index.js';

/** The whole path in one process: real files → agent → broker → archive, byte for byte. */
const shared = join(import.meta.dirname, '../../shared/data');
const hasData = existsSync(shared);
if (!hasData)
  console.warn('SKIPPED: ../shared/data is absent, so no real logs and mails are tried');

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'logflume-path-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function archived(root: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (path) =>
        !path
          .slice(root.length)
          .split('/')
          .some((part) => /^[_.]/.test(part)),
    );
}

interface Wanted {
  readonly sources: Record<string, unknown>;
  readonly sinks: Record<string, unknown>;
}

/** Starts the three roles, lets them drain in order, and stops them. */
async function runPath({ sources, sinks }: Wanted, during: () => Promise<void>): Promise<void> {
  const system = createRealSystem({ logLevel: 'error' });
  const broker = await Broker.start({ dataDir: join(directory, 'broker') }, system);
  const kafka = kafkaSection.parse({ bootstrap: [broker.address] });
  const agent = await Agent.start(system, {
    config: agentSection().parse({ sources }),
    kafka,
    dataDir: join(directory, 'agent'),
  });
  const sink = await Sinks.start(system, {
    config: sinksSection().parse(sinks),
    kafka,
    dataDir: join(directory, 'sinks'),
  });
  try {
    await during();
    await agent.drain(20_000);
    await sink.drain(20_000);
  } finally {
    await agent.stop();
    await sink.stop();
    await broker.stop();
  }
}

describe.skipIf(!hasData)('real logs and mails', () => {
  it('arrive in the archive byte for byte', async () => {
    const logs = join(directory, 'logs');
    const mails = join(directory, 'mails');
    mkdirSync(logs);
    mkdirSync(join(mails, 'new'), { recursive: true });
    const logRoot = join(directory, 'archive');
    const mailRoot = join(directory, 'letters');
    const logNames = readdirSync(join(shared, 'logs')).filter((name) => name.endsWith('.log'));
    const mailNames = readdirSync(join(shared, 'mail')).filter((name) => name.endsWith('.eml'));
    expect([logNames.length, mailNames.length]).toEqual([7, 37]);
    const archiveSink = {
      type: 'archive',
      compression: 'gzip',
      rotate: { size: '64KiB', idle: '1s' },
    };
    const wanted = {
      sources: {
        app: { type: 'file', include: [join(logs, '*.log')], topic: 'app-logs' },
        post: { type: 'maildrop', directory: join(mails, 'new'), after: 'delete', topic: 'mail' },
      },
      sinks: {
        archive: {
          ...archiveSink,
          compression: 'none',
          topics: ['app-logs'],
          store: { type: 'local', root: logRoot },
          format: 'lines',
          file_per: 'key',
        },
        letters: {
          ...archiveSink,
          compression: 'none',
          topics: ['mail'],
          store: { type: 'local', root: mailRoot },
          format: 'eml',
        },
      },
    };
    await runPath(wanted, async () => {
      for (const name of logNames) {
        // In two pieces cut in the middle of a line, so that growth is part of it.
        const bytes = readFileSync(join(shared, 'logs', name));
        appendFileSync(join(logs, name), bytes.subarray(0, bytes.length >> 1));
        appendFileSync(join(logs, name), bytes.subarray(bytes.length >> 1));
      }
      for (const name of mailNames) {
        copyFileSync(join(shared, 'mail', name), join(mails, name));
        renameSync(join(mails, name), join(mails, 'new', name));
      }
    });

    for (const name of logNames) {
      const files = archived(logRoot)
        .filter((path) => decodeURIComponent(basename(path)).includes(`/${name}+`))
        .sort((a, b) => offsetOf(a) - offsetOf(b));
      const bytes = Buffer.concat(files.map((path) => readFileSync(path)));
      expect(bytes.equals(readFileSync(join(shared, 'logs', name))), name).toBe(true);
    }
    const contents = (paths: string[]): string[] =>
      paths.map((path) => readFileSync(path).toString('base64')).sort();
    expect(contents(archived(mailRoot))).toEqual(
      contents(mailNames.map((name) => join(shared, 'mail', name))),
    );
    expect(readdirSync(join(mails, 'new')).filter((name) => name.endsWith('.eml'))).toEqual([]);
  });
});

/** The first offset in the name of an archive file. */
const offsetOf = (path: string): number => Number(/\+(\d{20})\+\d{20}\./.exec(path)?.[1]);
