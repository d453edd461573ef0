import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRealSystem } from '../../system/real/index.js';
import { createSimSystem } from '../../system/sim/index.js';
import { type World, worlds } from './worlds.js';

describe.each(worlds)('%s http', (_name, createWorld) => {
  let world: World;
  beforeEach(() => {
    world = createWorld();
  });
  afterEach(() => world.close());

  it('serves, asks, cuts long answers and names what is wrong', async () => {
    await world.run(async () => {
      const { http } = world.system;
      const server = await http.serve({ host: '127.0.0.1', port: 0 }, async (method, path) => {
        if (path === '/broken') throw new Error('oops');
        return { status: 203, contentType: 'text/plain', body: `${method} ${path}` };
      });
      const base = `http://127.0.0.1:${server.port}`;
      const get = (path: string, maxResponseBytes?: number) =>
        http.request({
          method: 'GET',
          url: base + path,
          timeoutMs: 5000,
          ...(maxResponseBytes !== undefined && { maxResponseBytes }),
        });
      const answer = await get('/a?b=c');
      expect(answer.status).toBe(203);
      expect(answer.headers['content-type']).toBe('text/plain');
      expect(answer.body.toString()).toBe('GET /a?b=c');
      expect((await get('/a', 3)).body.toString()).toBe('GET');
      expect((await get('/broken')).status).toBe(500);
      const again = http.serve({ host: '127.0.0.1', port: server.port }, async () => {
        throw new Error('never');
      });
      await expect(again).rejects.toMatchObject({ code: 'EADDRINUSE' });
      await server.close();
      // A pooled connection that the server has just closed is reset.
      await expect(get('/')).rejects.toMatchObject({
        code: expect.stringMatching(/^(ECONNREFUSED|ECONNRESET)$/),
      });
    });
  });
});

it('a real request sends its body and headers, and ends when it is overdue or called off', async () => {
  const { http } = createRealSystem();
  const server = createServer((request, response) => {
    if (request.url === '/hang') return;
    request.pipe(response.setHeader('x-echo', request.headers['x-sent'] ?? ''));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const ask = (path: string, options = {}) =>
    http.request({
      method: 'POST',
      url: `http://127.0.0.1:${port}${path}`,
      headers: { 'x-sent': 'yes' },
      body: Buffer.from('body'),
      timeoutMs: 5000,
      ...options,
    });
  const answer = await ask('/');
  expect([answer.body.toString(), answer.headers['x-echo']]).toEqual(['body', 'yes']);
  await expect(ask('/hang', { timeoutMs: 50 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  await expect(ask('/hang', { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
    name: 'TimeoutError',
  });
  server.closeAllConnections();
  server.close();
});

it('a scripted endpoint answers, loses its answer or hangs', async () => {
  const sim = createSimSystem({ seed: 1 });
  const { http } = sim.process('p');
  const bodies: string[] = [];
  const stop = sim.web.endpoint('http://hook:8080', ({ body, path }) => {
    bodies.push(body.toString());
    if (path === '/lost') return 'lost';
    if (path === '/hang') return 'hang';
    return { status: 200, headers: {}, body: Buffer.from('ok') };
  });
  const post = (path: string) =>
    sim.run(
      http.request({ method: 'POST', url: `http://hook:8080${path}`, body: path, timeoutMs: 100 }),
    );
  expect((await post('/')).status).toBe(200);
  await expect(post('/lost')).rejects.toMatchObject({ code: 'ECONNRESET' });
  await expect(post('/hang')).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  stop();
  await expect(post('/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(bodies).toEqual(['/', '/lost', '/hang']);
});
