import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Broker } from '../../broker/index.js';
import { Producer } from '../../client/index.js';
import { Sinks, sinkComponents, sinksSection } from '../../sinks/index.js';
import type { SinkComponent } from '../../sinks/sink.js';
import { createRealSystem } from '../../system/real/index.js';
import { folderWithPackage, writePage } from '../plugin-page.js';

const folder = folderWithPackage();
afterAll(() => folder.remove());

it('the sink of docs/plugins.md brings records, and again where it was refused for now', async () => {
  const system = createRealSystem({ logLevel: 'silent' });
  writePage(folder.path);
  const plugin = await system.processes.load('./chat.js', join(folder.path, 'chat.yaml'));
  const sinks = plugin.sinks as readonly SinkComponent[];
  const heard: [string | string[] | undefined, unknown][] = [];
  const room = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      heard.push([request.headers['idempotency-key'], JSON.parse(text)]);
      response.writeHead(heard.length === 1 ? 503 : 204).end();
    });
  });
  await new Promise<void>((resolve) => room.listen(0, '127.0.0.1', resolve));
  const broker = await Broker.start({ dataDir: join(folder.path, 'broker') }, system);
  const bootstrap = [broker.address];
  const producer = new Producer({ bootstrap }, system);
  await producer.send(
    ['tea', 'soup'].map((value) => ({ topic: 'alerts', key: null, value, partition: 0 })),
  );
  await producer.close();
  const components = { ...sinkComponents, sinks: [...sinkComponents.sinks, ...sinks] };
  const url = `http://127.0.0.1:${(room.address() as AddressInfo).port}/hook`;
  const config = sinksSection(components).parse({
    room: { type: 'chat', topics: ['alerts'], url, batch: { records: 2 } },
  });
  const dataDir = join(folder.path, 'sinks');
  const running = await Sinks.start(system, { config, kafka: { bootstrap }, dataDir, components });
  expect(await running.drain(20_000)).toBe(true);
  expect(running.status().room).toMatchObject({ type: 'chat', records: 2, lag: 0 });
  await running.stop();
  await broker.stop();
  room.close();
  const said = { username: 'logflume', text: 'tea\nsoup' };
  expect(heard.map(([, body]) => body)).toEqual([said, said]);
  expect(heard[0]?.[0]).toBe(heard[1]?.[0]);
  expect(heard[0]?.[0]).toMatch(/^room\..*\.0\.0-1$/);
});
