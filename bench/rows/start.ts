import { createConnection } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../../test/peers/apache-kafka.js';
import { logflume, writeConfig } from '../../test/peers/logflume.js';
import { residentBytes } from '../../test/peers/process.js';
import { type Bench, mebibytes, median, type Row } from '../row.js';

/** ApiVersions version 0, correlation id 7, no client id. */
const apiVersionsRequest = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 255, 255]);

function ask(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port }, () =>
      socket.write(apiVersionsRequest),
    );
    socket.once('data', (bytes) => {
      socket.destroy();
      resolve(bytes.readInt32BE(4) === 7 && bytes.readInt16BE(8) === 0);
    });
    socket.once('error', () => resolve(false));
  });
}

async function startOnce(bench: Bench, round: number) {
  const port = await freePort();
  const config = writeConfig(bench.directory, `start-${round}.yaml`, {
    data_dir: join(bench.directory, `start-${round}`),
    broker: { listeners: [{ listen: `127.0.0.1:${port}` }] },
  });
  const began = performance.now();
  const program = logflume(['broker', '-c', config]);
  while (!(await ask(port))) {
    if (performance.now() - began > 10_000) throw new Error(`no answer: ${program.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  const seconds = (performance.now() - began) / 1000;
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const rssBytes = residentBytes(program.pid);
  await program.stop();
  return { seconds, rssBytes };
}

/** From the start of the process to the first answer, and memory when nothing happens. */
export async function startRow(bench: Bench): Promise<Row> {
  const rounds: Awaited<ReturnType<typeof startOnce>>[] = [];
  for (const round of [1, 2, 3, 4, 5]) rounds.push(await startOnce(bench, round));
  const seconds = median(rounds.map((round) => round.seconds));
  const rssBytes = median(rounds.map((round) => round.rssBytes));
  return {
    work: 'broker: start to first answer; idle memory',
    ours: `${seconds.toFixed(2)} s; ${mebibytes(rssBytes)}`,
    peers: [],
    mustReach: '≤ 0.3 s; ≤ 90 MiB',
    reached: `${seconds.toFixed(2)} s; ${mebibytes(rssBytes)}`,
    pass: seconds <= 0.3 && rssBytes <= 90 * 1_048_576,
    settings: 'one listener, an empty data directory',
    delivered: `${rounds.length} starts, each answered ApiVersions`,
    rounds,
  };
}
