import { gunzipSync } from 'node:zlib';
import {
  type Claim,
  type ContentSettings,
  decodeClaim,
  type Rotation,
} from '../../../sinks/archive/claims/index.js';
import { type Formats, formats, madeOf } from '../../../sinks/archive/formats/index.js';
import type { LiveFiles } from '../../../sinks/archive/live-encoder.js';
import type { PartitionWriter } from '../../../sinks/archive/partition-writer.js';
import type { LocalStore, Store } from '../../../sinks/archive/stores/index.js';
import type { SimProcess, Simulation } from '../../../system/sim/index.js';
import { FakeFeed, type FakeTopic, type TestRecord } from '../fake-topic.js';

const ID = {
  sink: 'archive',
  cluster: 'cluster-1',
  topic: 'logs',
  topicId: 'abcdefghijklmnopqrstuv',
  partition: 0,
};
export const CHAIN = '/archive/_claims/archive/cluster-1/logs.abcdefghijklmnopqrstuv/0';

/** The classes under test; the mutation test hands in changed ones. */
export interface Implementation {
  readonly PartitionWriter: typeof PartitionWriter;
  readonly LocalStore: typeof LocalStore;
  readonly LiveFiles: typeof LiveFiles;
}

export interface OwnerOptions {
  readonly settings?: ContentSettings;
  readonly rotateRecords?: number;
  readonly ageMs?: number;
  readonly idleMs?: number;
  readonly rotation?: Partial<Rotation>;
  readonly acceptGap?: boolean;
  readonly from?: 'earliest' | 'latest';
  readonly liveFiles?: number;
  readonly dataDir?: string;
  readonly topicId?: string;
  readonly sink?: string;
  readonly formats?: Formats;
  /** Stands between the writer and its store. */
  readonly wrap?: (store: Store) => Store;
  readonly beforeCommit?: () => Promise<void>;
}

const LINES: ContentSettings = { format: 'lines', filePer: 'key', compression: 'none' };

/** An owner of the partition in a process: started, ticking until the process ends. */
export function startOwner(
  implementation: Implementation,
  process: SimProcess,
  topic: FakeTopic,
  options: OwnerOptions = {},
): PartitionWriter {
  const feed = new FakeFeed(process, topic, options.beforeCommit);
  const store = new implementation.LocalStore(process, '/archive', process.name);
  const { topicId = ID.topicId, sink = ID.sink } = options;
  const id = { ...ID, sink, topicId };
  const writer = new implementation.PartitionWriter({
    system: process,
    store: options.wrap?.(store) ?? store,
    formats: options.formats ?? madeOf(formats),
    id,
    config: {
      settings: options.settings ?? LINES,
      rotation: {
        sizeBytes: 1_000_000,
        records: options.rotateRecords ?? 4,
        ageMs: options.ageMs ?? 600_000,
        firstMs: undefined,
        idleMs: options.idleMs,
        ...options.rotation,
      },
      writer: process.name,
      acceptGap: options.acceptGap ?? false,
    },
    feed,
    from: options.from ?? 'earliest',
    spoolDirectory: `${options.dataDir ?? `/data/${process.name}`}/spool/${id.topicId}`,
    liveFiles: new implementation.LiveFiles(options.liveFiles ?? 64),
  });
  feed.worker = writer;
  const tick = (): void => {
    writer.tick();
    process.clock.after(500, tick);
  };
  process.clock.after(500, tick);
  writer.start();
  return writer;
}

/** Every file of the archive that a reader would see, by its name below the root. */
export function archiveFiles(process: SimProcess, root = '/archive'): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const walk = (directory: string): void => {
    for (const name of process.disk.listSync(`${root}/${directory}`)) {
      if (name.startsWith('_') || name.startsWith('.')) continue;
      const path = directory === '' ? name : `${directory}/${name}`;
      const stat = process.disk.statSync(`${root}/${path}`);
      if (stat?.kind === 'directory') walk(path);
      else {
        const content = process.disk.readFileSync(`${root}/${path}`);
        files.set(path, path.endsWith('.gz') ? gunzipSync(content) : content);
      }
    }
  };
  if (process.disk.statSync(root) !== undefined) walk('');
  return files;
}

/** Throws unless the archive holds exactly these records: each once, in order, where it belongs. */
export function checkExactlyOnce(process: SimProcess, expected: readonly TestRecord[]): void {
  const seen = new Map<number, number>();
  for (const [path, content] of archiveFiles(process)) {
    let before = -1;
    for (const line of content.toString().split('\n').slice(0, -1)) {
      const offset = Number(/^record (\d+)$/.exec(line)?.[1] ?? Number.NaN);
      if (Number.isNaN(offset)) throw new Error(`${path} holds a torn line: ${line}`);
      if (offset <= before) throw new Error(`${path} is not in order at ${offset}`);
      before = offset;
      seen.set(offset, (seen.get(offset) ?? 0) + 1);
      const key = offset % 2 === 0 ? 'logs.' : 'host%3A%2Fvar%2F1+';
      const hour = offset % 5 === 0 ? 'hour=01' : 'hour=00';
      if (!path.includes(`/${key}`) || !path.includes(hour)) {
        throw new Error(`record ${offset} lies in ${path}`);
      }
    }
  }
  for (const { offset } of expected) {
    const times = seen.get(offset) ?? 0;
    if (times !== 1) throw new Error(`record ${offset} is ${times} times in the archive`);
    seen.delete(offset);
  }
  if (seen.size > 0) throw new Error(`records nobody wrote: ${[...seen.keys()]}`);
}

/** A healthy owner takes over and archives everything; then everything must be there once. */
export async function finishAndCheck(
  implementation: Implementation,
  sim: Simulation,
  topic: FakeTopic,
  options: OwnerOptions & { readonly name?: string; readonly expected?: TestRecord[] } = {},
): Promise<void> {
  const process = sim.process(options.name ?? 'last');
  const writer = startOwner(implementation, process, topic, options);
  await within(process, writer.drain(topic.end));
  checkExactlyOnce(process, options.expected ?? topic.records);
  const claims = readClaims(process);
  let position = claims[0]?.start ?? 0;
  for (const claim of claims) {
    if (claim.start !== position) throw new Error(`the chain breaks at ${position}`);
    position = claim.end + 1;
    const start = String(claim.start).padStart(20, '0');
    const isDone = (name: string) => name.startsWith(start) && name.endsWith('.done');
    if (!process.disk.listSync(CHAIN).some(isDone)) throw new Error(`no done for ${claim.start}`);
  }
  if (topic.committed !== position) {
    throw new Error(`committed is ${topic.committed}, the chain ends at ${position}`);
  }
  await writer.close();
  process.kill();
}

/** Rejects after 15 s or two thousand effects: a writer that stands still or spins has failed. */
export function within<T>(process: SimProcess, work: Promise<T>): Promise<T> {
  const watch = async (): Promise<never> => {
    const { steps } = process;
    for (let i = 0; i < 150 && process.steps < steps + 2_000; i += 1) {
      await process.clock.sleep(100);
    }
    const said = process.logLines.slice(-2).map(({ message }) => message);
    throw new Error(`no end: ${said.join('; ')}`);
  };
  return Promise.race([work, watch()]);
}

/** The claims that count, in order; torn ones are passed over, as their readers do. */
export function readClaims(process: SimProcess): Claim[] {
  if (process.disk.statSync(CHAIN) === undefined) return [];
  const names = process.disk.listSync(CHAIN).filter((name) => /^\d{20}(\.\d)?\.json$/.test(name));
  return names.flatMap((name) => {
    const claim = decodeClaim(process.disk.readFileSync(`${CHAIN}/${name}`));
    return claim === undefined ? [] : [claim];
  });
}
