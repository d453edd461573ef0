import { dirname } from 'node:path';
import { FailedRecords, type FailedRecordsOptions } from '../../agent/failed-records.js';
import { createChain, interceptors } from '../../agent/interceptors/index.js';
import { Positions } from '../../agent/positions.js';
import { FileSource, fileOptions } from '../../agent/sources/file/index.js';
import { oneOf, z } from '../../config/index.js';
import type { Disk } from '../../system/index.js';
import { createSimSystem, type SimProcess, type Simulation } from '../../system/sim/index.js';
import { FakeProducer, type FakeProducerOptions, FakeTopics } from './fake-producer.js';

/** The parts that a mutation test replaces. */
export const originals = { FileSource, Positions };
export type AgentParts = typeof originals;

/** An application that writes and rotates files. */
export class Writer {
  constructor(readonly disk: Disk) {}

  append(path: string, text: string): void {
    this.disk.makeDirectorySync(dirname(path));
    const file = this.disk.openSync(path, 'a+');
    file.writeSync([Buffer.from(text, 'latin1')], file.statSync().size);
    file.closeSync();
  }

  /** Writes into the middle of a file. */
  put(path: string, text: string, position: number): void {
    const file = this.disk.openSync(path, 'r+');
    file.writeSync([Buffer.from(text, 'latin1')], position);
    file.closeSync();
  }

  truncate(path: string): void {
    const file = this.disk.openSync(path, 'r+');
    file.truncateSync(0);
    file.closeSync();
  }

  copy(from: string, to: string): void {
    const file = this.disk.openSync(to, 'w');
    file.writeSync([this.disk.readFileSync(from)], 0);
    file.closeSync();
  }

  write(path: string, bytes: Uint8Array): void {
    const file = this.disk.openSync(path, 'w');
    file.writeSync([bytes], 0);
    file.closeSync();
  }
}

/** A source on a simulated machine, which can be killed and started again. */
export class FileWorld {
  readonly topics = new FakeTopics();
  readonly writer: Writer;
  /** Where refused records go. */
  failed: FailedRecordsOptions = { directory: '/data/failed', topic: undefined };
  maxOpenFiles = Number.POSITIVE_INFINITY;
  /** The types of interceptors that there are. */
  interceptors = interceptors;
  /** What others do to the files just before a call of the agent on its disk. */
  beforeCall: ((call: string, path: unknown) => void) | undefined;
  process: SimProcess | undefined;
  source: FileSource | undefined;
  failedRecords: FailedRecords | undefined;

  constructor(
    readonly sim: Simulation = createSimSystem({ seed: 1 }),
    readonly options: Record<string, unknown> = {},
    readonly producer: FakeProducerOptions = {},
    readonly parts: AgentParts = originals,
  ) {
    this.writer = new Writer(sim.process('writer').disk);
    this.writer.disk.makeDirectorySync('/log');
    this.writer.disk.makeDirectorySync('/data');
  }

  async start(): Promise<FileSource> {
    const process = this.sim.process('agent');
    this.process = process;
    const disk = announced(process.disk, (call, path) => this.beforeCall?.(call, path));
    const system = { ...process, disk };
    const { interceptors: chain = [], ...others } = this.options;
    const list = z.array(oneOf(this.interceptors, {})).parse(chain);
    const options = fileOptions.parse({
      include: ['/log/*.log'],
      topic: 't',
      key: '{path}',
      ...others,
    });
    const positions = await this.parts.Positions.open(system, '/data');
    const producer = new FakeProducer(system.clock, this.topics, this.producer);
    const failedRecords = new FailedRecords(system, producer, this.failed);
    failedRecords.start();
    this.failedRecords = failedRecords;
    const source = new this.parts.FileSource(
      {
        system,
        name: 'app',
        log: system.log,
        producer,
        failedRecords,
        chain: createChain(this.interceptors, list, { system, source: 'app' }),
        positions: positions.of('app'),
        maxOpenFiles: this.maxOpenFiles,
        host: 'h',
      },
      options,
    );
    this.source = source;
    await source.start();
    return source;
  }

  kill(): void {
    this.process?.kill();
  }
}

/** Tells of each call on the disk and its files before it is made. */
function announced<T extends object>(target: T, before: (call: string, path: unknown) => void): T {
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        before(String(name), args[0]);
        const result: unknown = value.apply(target, args);
        return name === 'openSync' ? announced(result as object, before) : result;
      };
    },
  });
}

/** `count` lines that no other call gives. */
export function lines(name: string, count: number, first = 0): string {
  let text = '';
  for (let i = first; i < first + count; i++) text += `${name} line ${i} ${'x'.repeat(i % 40)}\n`;
  return text;
}
