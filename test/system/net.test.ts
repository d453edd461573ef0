import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Connection, Listener } from '../../system/index.js';
import { createSimSystem } from '../../system/sim/index.js';
import { type World, worlds } from './worlds.js';

/** Collects what a connection tells its owner. */
class Ear {
  readonly chunks: Buffer[] = [];
  drains = 0;
  closed: { error: Error | undefined } | undefined;
  #wake: () => void = () => {};

  constructor(readonly connection: Connection) {
    connection.handle({
      onData: (bytes) => {
        this.chunks.push(Buffer.from(bytes));
        this.#wake();
      },
      onDrain: () => {
        this.drains++;
        this.#wake();
      },
      onClose: (error) => {
        this.closed = { error };
        this.#wake();
      },
    });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

const onConnection =
  (keep: (ear: Ear) => void) =>
  (connection: Connection): void =>
    keep(new Ear(connection));

async function pair(world: World): Promise<{ near: Ear; far: Ear; listener: Listener }> {
  const { net } = world.system;
  let arrived: (ear: Ear) => void = () => {};
  const far = new Promise<Ear>((resolve) => {
    arrived = resolve;
  });
  const listener = await net.listen({ host: '127.0.0.1', port: 0 }, onConnection(arrived));
  const near = new Ear(
    await net.connect({ host: '127.0.0.1', port: listener.port, timeoutMs: 1000 }),
  );
  return { near, far: await far, listener };
}

describe.each(worlds)('%s net', (_name, createWorld) => {
  let world: World;
  beforeEach(() => {
    world = createWorld();
  });
  afterEach(() => world.close());

  it('carries bytes both ways, in order, and closes cleanly', async () => {
    await world.run(async () => {
      const { near, far, listener } = await pair(world);
      near.connection.write([Buffer.from('he'), Buffer.from(''), Buffer.from('llo')]);
      await far.until(() => far.bytes.length === 5);
      const big = Buffer.alloc(3_000_000, 'abcdefg');
      far.connection.write([big.subarray(0, 1_000_001), big.subarray(1_000_001)]);
      await near.until(() => near.bytes.length === big.length);
      expect(near.bytes.equals(big)).toBe(true);
      expect(far.bytes.toString()).toBe('hello');
      near.connection.write([Buffer.from('!')]);
      near.connection.end();
      await far.until(() => far.closed !== undefined);
      await near.until(() => near.closed !== undefined);
      expect(far.bytes.toString()).toBe('hello!');
      expect([near.closed, far.closed]).toEqual([{ error: undefined }, { error: undefined }]);
      await listener.close();
    });
  });

  it('asks a fast writer to wait for a peer that has paused, then drains', async () => {
    await world.run(async () => {
      const { near, far, listener } = await pair(world);
      far.connection.pause();
      const chunk = Buffer.alloc(1024 * 1024);
      let written = 0;
      while (near.connection.write([chunk])) written++;
      // The kernel's own buffers take some megabytes first.
      while (written < 16) {
        near.connection.write([chunk]);
        written++;
      }
      expect(near.connection.queuedBytes).toBeGreaterThan(1024 * 1024);
      expect(near.drains).toBe(0);
      far.connection.resume();
      await near.until(() => near.drains === 1);
      expect(near.connection.queuedBytes).toBe(0);
      near.connection.destroy();
      await far.until(() => far.closed !== undefined);
      await listener.close();
    });
  });

  it('names what is wrong with an address', async () => {
    await world.run(async () => {
      const { net } = world.system;
      const listener = await net.listen({ host: '127.0.0.1', port: 0 }, () => {});
      const { host, port } = listener;
      const again = net.listen({ host, port }, () => {});
      await expect(again).rejects.toMatchObject({ code: 'EADDRINUSE' });
      await listener.close();
      const refused = net.connect({ host: 'localhost', port, timeoutMs: 1000 });
      await expect(refused).rejects.toMatchObject({
        code: 'ECONNREFUSED',
        message: expect.stringContaining(`:${port}`),
      });
      const reused = await net.listen({ host, port }, () => {});
      expect(reused.port).toBe(port);
      await reused.close();
    });
  });

  it('lets connections live when the listener closes, and hands over the error of destroy', async () => {
    await world.run(async () => {
      const { near, far, listener } = await pair(world);
      await listener.close();
      near.connection.write([Buffer.from('x')]);
      await far.until(() => far.bytes.length === 1);
      const cause = new Error('enough');
      near.connection.destroy(cause);
      await near.until(() => near.closed !== undefined);
      expect(near.closed).toEqual({ error: cause });
      await far.until(() => far.closed !== undefined);
    });
  });
});

describe('faults of the simulated network', () => {
  const start = async () => {
    const sim = createSimSystem({ seed: 3 });
    const ears: Ear[] = [];
    const server = sim.process('server');
    const client = sim.process('client');
    const listener = await sim.run(
      server.net.listen({ host: '127.0.0.1', port: 0 }, (c) => ears.push(new Ear(c))),
    );
    const dial = async () =>
      new Ear(
        await client.net.connect({ host: '127.0.0.1', port: listener.port, timeoutMs: 1000 }),
      );
    const near = await sim.run(dial());
    await sim.runUntilIdle();
    return { sim, server, client, near, far: ears[0]!, dial };
  };

  it('a partition holds everything until it heals', async () => {
    const { sim, near, far, dial } = await start();
    sim.network.partition('client', 'server');
    near.connection.write([Buffer.from('late')]);
    await expect(sim.run(dial())).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    expect(far.bytes.length).toBe(0);
    sim.network.heal();
    await sim.runUntilIdle();
    expect(far.bytes.toString()).toBe('late');
  });

  it('a killed process closes its connections and its port, and is never heard again', async () => {
    const { sim, server, client, near, far, dial } = await start();
    far.connection.write([Buffer.from('last words')]);
    server.kill();
    await sim.runUntilIdle();
    expect(near.bytes.toString()).toBe('last words');
    expect(near.closed).toEqual({ error: undefined });
    expect(far.closed).toBeUndefined();
    await expect(sim.run(dial())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(() => far.connection.write([Buffer.from('x')])).toThrow(/is dead/);
    expect(client.alive).toBe(true);
  });

  it('a reset reaches both ends', async () => {
    const { sim, near, far } = await start();
    sim.network.reset('server');
    await sim.runUntilIdle();
    expect(near.closed?.error).toMatchObject({ code: 'ECONNRESET' });
    expect(far.closed?.error).toMatchObject({ code: 'ECONNRESET' });
  });

  it('a machine without power says nothing', async () => {
    const { sim, near } = await start();
    sim.network.silence('server');
    near.connection.write([Buffer.from('x')]);
    await sim.runUntilIdle();
    expect(near.closed).toBeUndefined();
    expect(near.connection.queuedBytes).toBe(1);
  });

  it('replays exactly', async () => {
    const trace = async () => {
      const { sim, near, far } = await start();
      near.connection.write([Buffer.alloc(500_000)]);
      await sim.runUntilIdle();
      return [sim.now, far.chunks.map((chunk) => chunk.length)];
    };
    expect(await trace()).toEqual(await trace());
  });
});
