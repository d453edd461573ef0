import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { Admin, Consumer, Producer } from 'logflume';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeRequest, Fetch, Metadata } from '../../protocol/index.js';
import { detach } from '../../system/index.js';
import { freePort } from '../peers/apache-kafka.js';
import { startLogflumeBroker, temporaryFolder, writeConfig } from '../peers/logflume.js';
import { Program, residentBytes } from '../peers/process.js';

const MIB = 1024 * 1024;
const main = join(import.meta.dirname, '../../dist/cli/main.js');
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

let folder: ReturnType<typeof temporaryFolder>;
let port: number;
let programs: Program[];
let sockets: Socket[];

beforeEach(async () => {
  folder = temporaryFolder('limits');
  port = await freePort();
  programs = [];
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const program of programs) await program.stop('SIGKILL');
  folder.remove();
});

async function startBroker(properties: Record<string, unknown> = {}): Promise<Program> {
  const { program } = await startLogflumeBroker(folder.path, port, { properties });
  programs.push(program);
  return program;
}

/** A role with at most so many descriptors, by a configuration in the folder. */
async function startLimited(
  descriptors: number,
  role: 'broker' | 'agent' = 'broker',
): Promise<Program> {
  const config = join(folder.path, `${role}.yaml`);
  const command = `ulimit -n ${descriptors}; exec "$0" "$@"`;
  const args = ['-c', command, process.execPath, main, role, '-c', config];
  const program = new Program('sh', args);
  programs.push(program);
  await program.until(new RegExp(`${role} is running`));
  return program;
}

/** The first `total` records of partition 0 of topic `t`. */
async function readAll(total: number): Promise<string[]> {
  const found: string[] = [];
  const consumer = new Consumer({
    bootstrap: [`127.0.0.1:${port}`],
    autoOffsetReset: 'earliest',
  });
  await consumer.assign([{ topic: 't', partition: 0 }]);
  await new Promise<void>((resolve, reject) => {
    const onMessage = async ({ value }: { value: Buffer | null }) => {
      if (found.push(String(value)) === total) resolve();
    };
    detach(consumer.run({ onMessage }), reject);
  });
  await consumer.close();
  return found;
}

/** A client that writes `bytes` and reads nothing. */
async function deafClient(bytes: Uint8Array): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  socket.pause();
  socket.write(bytes);
  return socket;
}

/** How long another client waits for an answer, milliseconds. */
async function answerMs(): Promise<number> {
  const began = performance.now();
  const admin = new Admin({ bootstrap: [`127.0.0.1:${port}`] });
  await admin.listTopics();
  await admin.close();
  return performance.now() - began;
}

const metadataOf = (names: readonly string[] | null) =>
  Buffer.concat(
    encodeRequest(Metadata, 1, 1, 'deaf', {
      topics: names === null ? null : names.map((name) => ({ name })),
    }),
  );

describe("the broker's memory", () => {
  it.each([90, 40])('holds against a Metadata request of %i MB', async (megabytes) => {
    const broker = await startBroker();
    const before = residentBytes(broker.pid);
    const names = new Array<string>(Math.floor((megabytes * 1e6) / 9)).fill('a-topic');
    await deafClient(metadataOf(names));
    await sleep(500);
    expect(await answerMs()).toBeLessThan(10_000);
    expect(residentBytes(broker.pid) - before).toBeLessThan(400 * MIB);
  });

  it('holds against requests one behind the other, whose answers nobody takes', async () => {
    const broker = await startBroker();
    const producer = new Producer({ bootstrap: [`127.0.0.1:${port}`] });
    const topics = Array.from({ length: 100 }, (_, n) => `a-topic-of-a-long-name-${n}`);
    await producer.send(topics.map((topic) => ({ topic, value: Buffer.from('x') })));
    await producer.close();
    const before = residentBytes(broker.pid);
    const one = metadataOf(null);
    await deafClient(Buffer.concat(new Array(Math.floor(1.5e6 / one.length)).fill(one)));
    await sleep(2_000);
    expect(await answerMs()).toBeLessThan(10_000);
    expect(residentBytes(broker.pid) - before).toBeLessThan(300 * MIB);
  });

  it('holds against 60 consumers that do not read', async () => {
    const broker = await startBroker();
    const producer = new Producer({ bootstrap: [`127.0.0.1:${port}`] });
    const value = Buffer.alloc(500_000, 'x');
    for (let n = 0; n < 100; n++) await producer.send([{ topic: 'big', partition: 0, value }]);
    await producer.close();
    const before = residentBytes(broker.pid);
    const fetch = Buffer.concat(
      encodeRequest(Fetch, 11, 1, 'deaf', {
        maxWaitMs: 100,
        minBytes: 1,
        maxBytes: 57_671_680,
        topics: [
          {
            topic: 'big',
            partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 57_671_680 }],
          },
        ],
      }),
    );
    for (let n = 0; n < 60; n++) await deafClient(Buffer.concat([fetch, fetch, fetch]));
    await sleep(2_000);
    expect(await answerMs()).toBeLessThan(10_000);
    // queued.max.request.bytes (256 MiB) of answers, one answer over it, and what Node needs.
    expect(residentBytes(broker.pid) - before).toBeLessThan(700 * MIB);
  });
});

describe('a broker with few descriptors', () => {
  const total = 4000;
  const values = () => Array.from({ length: total }, (_, n) => `record ${n} ${'x'.repeat(1000)}`);

  it('starts after a kill that left more segments to look through than descriptors', async () => {
    const broker = await startBroker({ 'log.segment.bytes': 16_384 });
    const producer = new Producer({ bootstrap: [`127.0.0.1:${port}`] });
    const wanted = values();
    for (let n = 0; n < total; n += 10) {
      const ten = wanted.slice(n, n + 10);
      await producer.send(ten.map((value) => ({ topic: 't', value: Buffer.from(value) })));
    }
    await producer.close();
    await broker.stop('SIGKILL');
    rmSync(join(folder.path, 'data/broker/recovery-point-offset-checkpoint'), { force: true });
    await startLimited(96);
    expect(await readAll(total)).toEqual(wanted);
  });

  it('loses nothing of what it took while 400 clients come, and serves on when they have left', async () => {
    const { program } = await startLogflumeBroker(folder.path, port, {
      properties: { 'log.segment.bytes': 65_536 },
    });
    await program.stop();
    const broker = await startLimited(256);
    const producer = new Producer({ bootstrap: [`127.0.0.1:${port}`] });
    const wanted: string[] = [];
    const write = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++) {
        const value = `record ${wanted.length} ${'x'.repeat(1000)}`;
        await producer.send([{ topic: 't', value: Buffer.from(value) }]);
        wanted.push(value);
      }
    };
    await write(10);
    for (let n = 0; n < 400; n++) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      sockets.push(socket);
    }
    await write(500);
    for (const socket of sockets) socket.destroy();
    await write(10);
    await producer.close();
    expect(await answerMs()).toBeLessThan(10_000);
    expect(await readAll(wanted.length)).toEqual(wanted);
    expect(await broker.stop()).toBe(0);
  });
});

describe('an agent with few descriptors', () => {
  it('reads more files than it may have open, each line once', async () => {
    await startBroker();
    const logs = join(folder.path, 'logs');
    mkdirSync(logs);
    const wanted = Array.from({ length: 1500 }, (_, n) => `only line of file ${n}`);
    for (const [n, line] of wanted.entries()) writeFileSync(join(logs, `${n}.log`), `${line}\n`);
    writeConfig(folder.path, 'agent.yaml', {
      data_dir: join(folder.path, 'agent-data'),
      kafka: { bootstrap: [`127.0.0.1:${port}`] },
      agent: { sources: { app: { type: 'file', include: [`${logs}/*.log`], topic: 't' } } },
    });
    const agent = await startLimited(1024, 'agent');
    expect(await agent.stop()).toBe(0);
    expect((await readAll(wanted.length)).sort()).toEqual(wanted.sort());
  });
});
