import { afterEach, describe, expect, it } from 'vitest';
import { serveTelemetry } from '../../cli/telemetry.js';
import { createRealSystem } from '../../system/real/index.js';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

/** The telemetry of a role that does nothing, and how to make it drain. */
async function telemetry() {
  const system = createRealSystem({ logLevel: 'silent' });
  let draining = false;
  const running = {
    address: undefined,
    listen: undefined,
    drain: () => Promise.resolve(true),
    stop: () => Promise.resolve(),
    status: () => ({ sources: {} }),
  };
  const listen = { host: '127.0.0.1', port: 0 };
  const server = await serveTelemetry(system, listen, {
    name: 'agent',
    running,
    draining: () => draining,
  });
  open.push(server);
  const get = async (path: string, method = 'GET') => {
    const reply = await fetch(`http://${server.address}${path}`, { method });
    return { status: reply.status, text: await reply.text() };
  };
  const health = async () => {
    const { status, text } = await get('/health');
    const body = JSON.parse(text) as { state: string; problems: { since: number }[] };
    return { status, ...body };
  };
  const drain = () => {
    draining = true;
  };
  return { problems: system.problems, get, health, drain };
}

describe('/health and /metrics', () => {
  it('are ok, degraded while problems stand, ok again, and draining', async () => {
    const { problems, health, get, drain } = await telemetry();
    const status = { sources: {} };
    expect(await health()).toEqual({
      ...{ status, role: 'agent', state: 'ok', problems: [] },
    });
    const before = Date.now();
    problems.raise('source post', 'the mail directory /x is missing: create it', { path: '/x' });
    problems.raise('disk', 'the disk is full');
    const degraded = await health();
    expect(degraded).toMatchObject({
      state: 'degraded',
      problems: [
        { id: 'source post', text: 'the mail directory /x is missing: create it' },
        { id: 'disk' },
      ],
    });
    expect(degraded.problems[0]?.since).toBeGreaterThanOrEqual(before);
    expect((await get('/health')).status, 'a restart would not mend it').toBe(200);
    expect((await get('/metrics')).text).toMatch(/^logflume_problems 2$/m);
    problems.clear('source post');
    problems.clear('disk');
    expect(await health()).toMatchObject({ state: 'ok', problems: [] });
    expect((await get('/metrics')).text).toMatch(/^logflume_problems 0$/m);
    drain();
    expect((await get('/health')).status).toBe(503);
    expect(await health()).toMatchObject({ state: 'draining' });
  });

  it('are all there is, and only read', async () => {
    const { get } = await telemetry();
    expect((await get('/')).status).toBe(404);
    expect((await get('/health', 'POST')).status).toBe(405);
    expect((await get('/metrics?x=1')).status).toBe(200);
  });
});
