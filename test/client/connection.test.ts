import { describe, expect, it } from 'vitest';
import { Connection } from '../../client/connection/index.js';
import { Fetch, Heartbeat, Metadata } from '../../protocol/index.js';
import { createSimSystem } from '../../system/sim/index.js';
import { type Script, ScriptedBroker, unsupportedVersion, versions } from './scripted-broker.js';

const heartbeat = { groupId: 'g', generationId: 1, memberId: 'm' };

async function start(script: Script, options = {}) {
  const sim = createSimSystem({ seed: 4 });
  const broker = await sim.run(new ScriptedBroker(sim.process('broker'), script).listen(0));
  const client = sim.process('client');
  const target = { host: '127.0.0.1', port: broker.port, clientId: 'test', ...options };
  const connect = () => sim.run(Connection.connect(client, target));
  return { sim, broker, client, connect };
}

const withVersions =
  (script: Script, limits = {}): Script =>
  (request, broker) =>
    request.name === 'ApiVersions' ? { body: versions(limits) } : script(request, broker);

describe('a connection', () => {
  it('uses the highest version that both sides speak', async () => {
    const script = withVersions(() => ({ body: { errorCode: 0 } }), {
      Heartbeat: [0, 2],
      Fetch: [20, 30],
      Metadata: [3, 99],
    });
    const { sim, broker, connect } = await start(script);
    const connection = await connect();
    await sim.run(connection.request(Heartbeat, heartbeat));
    expect(broker.received.map(({ name, apiVersion }) => `${name} ${apiVersion}`)).toEqual([
      'ApiVersions 4',
      'Heartbeat 2',
    ]);
    expect(broker.received[1]?.clientId).toBe('test');
    expect(connection.versionOf(Metadata)).toBe(13);
    expect(connection.versionOf(Metadata, 5)).toBe(5);
    expect(connection.supports(Fetch)).toBe(false);
    expect(() => connection.versionOf(Fetch)).toThrow(/offers Fetch 20 to 30, this needs 4 to 18/);
  });

  it.each([
    [3, ['ApiVersions 4', 'ApiVersions 3']],
    [0, ['ApiVersions 4', 'ApiVersions 0']],
  ])('asks again in version %i where the broker knows no later one', async (max, expected) => {
    const { broker, connect } = await start(({ apiVersion, correlationId }) =>
      apiVersion > max ? unsupportedVersion(correlationId, max) : { body: versions() },
    );
    await connect();
    expect(broker.received.map(({ name, apiVersion }) => `${name} ${apiVersion}`)).toEqual(
      expected,
    );
  });

  it('sends requests at once and matches the answers', async () => {
    const { sim, broker, connect } = await start(
      withVersions((request) => {
        const { memberId } = request.body as typeof heartbeat;
        return { body: { errorCode: Number(memberId) } };
      }),
    );
    const connection = await connect();
    const requests = [7, 8, 9].map((n) =>
      connection.request(Heartbeat, { ...heartbeat, memberId: String(n) }),
    );
    expect(connection.inFlight).toBe(3);
    const answers = await sim.run(Promise.all(requests));
    expect(answers.map(({ errorCode }) => errorCode)).toEqual([7, 8, 9]);
    expect(broker.connections.length).toBe(1);
  });

  it('names address and cause where nothing listens', async () => {
    const { client, sim } = await start(() => 'nothing');
    const refused = Connection.connect(client, { host: '127.0.0.1', port: 1, clientId: 'test' });
    await expect(sim.run(refused)).rejects.toMatchObject({
      code: 'CONNECT_FAILED',
      address: '127.0.0.1:1',
      message:
        'cannot connect to the broker at 127.0.0.1:1: connection refused, nothing listens there (ECONNREFUSED)',
      cause: { code: 'ECONNREFUSED' },
    });
  });

  it('gives up a broker that accepts and says nothing', async () => {
    const { connect, sim } = await start(() => 'nothing', { connectTimeoutMs: 700 });
    await expect(connect()).rejects.toThrow(/did not answer ApiVersions within 700 ms/);
    expect(sim.now).toBeLessThan(800);
  });

  it('fails all that waits when an answer is overdue', async () => {
    const { connect, sim } = await start(withVersions(() => 'nothing'));
    const connection = await connect();
    let cause: Error | undefined;
    connection.onClose((error) => {
      cause = error;
    });
    const slow = connection.request(Heartbeat, heartbeat, { timeoutMs: 500 });
    const other = connection.request(Heartbeat, heartbeat);
    const reason = expect.objectContaining({ code: 'REQUEST_TIMEOUT' });
    const failed = { status: 'rejected', reason };
    expect(await sim.run(Promise.allSettled([slow, other]))).toEqual([failed, failed]);
    expect(cause).toBe(connection.closedBy);
    await expect(sim.run(connection.request(Heartbeat, heartbeat))).rejects.toBe(cause);
  });

  it('closes with the cause when the broker goes', async () => {
    const { connect, sim, broker } = await start(withVersions(() => 'nothing'));
    const connection = await connect();
    const waiting = connection.request(Heartbeat, heartbeat);
    broker.process.kill();
    await expect(sim.run(waiting)).rejects.toMatchObject({
      code: 'CONNECTION_CLOSED',
      message: expect.stringContaining('the broker closed it'),
    });
    expect(connection.inFlight).toBe(0);
  });

  it.each([
    ['an answer nobody waits for', Buffer.from([0, 0, 0, 4, 0, 0, 0, 99]), /nobody waits for/],
    ['an answer that is too large', Buffer.from([0x7f, 0, 0, 0]), /2130706432 bytes/],
    ['an answer that is cut off', Buffer.from([0, 0, 0, 5, 0, 0, 0, 2, 0]), /./],
  ])('closes on %s', async (_what, bytes, message) => {
    const { connect, sim } = await start(withVersions(() => ({ bytes: [bytes] })));
    const connection = await connect();
    await expect(sim.run(connection.request(Heartbeat, heartbeat))).rejects.toThrow();
    expect(connection.closedBy?.message).toMatch(message);
  });
});
