import { describe, expect, it } from 'vitest';
import type { FromRole, ToRole } from '../../cli/messages.js';
import { RoleExit, SupervisedRole } from '../../cli/supervised-role.js';
import type { ChildProcess } from '../../system/index.js';
import { createSimSystem } from '../../system/sim/index.js';

/** A child that does what the test says. */
class FakeChild implements ChildProcess {
  readonly sent: ToRole[] = [];
  killed: string | undefined;
  #onMessage: (message: unknown) => void = () => {};
  #onExit: (exit: { code: number | null; signal: string | null }) => void = () => {};

  constructor(
    readonly pid: number,
    readonly args: readonly string[],
  ) {}

  send(message: unknown): void {
    this.sent.push(message as ToRole);
  }

  onMessage(callback: (message: unknown) => void): void {
    this.#onMessage = callback;
  }

  onExit(callback: (exit: { code: number | null; signal: string | null }) => void): void {
    this.#onExit = callback;
  }

  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.killed = signal;
    this.exits(null, signal);
  }

  says(message: FromRole): void {
    this.#onMessage(message);
  }

  exits(code: number | null, signal: string | null = null): void {
    this.#onExit({ code, signal });
  }
}

function setUp() {
  const simulation = createSimSystem({ seed: 1 });
  const { clock } = simulation.process('up');
  const children: FakeChild[] = [];
  const deaths: { how: string; delayMs: number }[] = [];
  const processes = {
    fork(_script: string, args: readonly string[]) {
      const child = new FakeChild(children.length, args);
      children.push(child);
      return child;
    },
  };
  const role = new SupervisedRole(
    { clock, processes: processes as never },
    { name: 'agent', script: 'main.js', args: () => ['agent'], environment: {} },
    {
      onReady: () => {},
      onDeath: (_, how, delayMs) => deaths.push({ how, delayMs }),
    },
  );
  const last = () => children.at(-1) as FakeChild;
  return { simulation, role, children, deaths, last };
}

describe('SupervisedRole', () => {
  it('is ready when its child says so', async () => {
    const { role, last } = setUp();
    const started = role.start();
    last().says({ type: 'ready', address: '127.0.0.1:1' });
    expect(await started).toMatchObject({ address: '127.0.0.1:1' });
    role.askStatus();
    last().says({ type: 'status', status: { lines: 3 } });
    expect(role.status).toEqual({ lines: 3 });
  });

  it('fails with the exit code of a child that never got ready', async () => {
    const { role, last, children } = setUp();
    const started = role.start();
    last().exits(78);
    await expect(started).rejects.toBeInstanceOf(RoleExit);
    await expect(started).rejects.toMatchObject({ exitCode: 78 });
    expect(children).toHaveLength(1);
  });

  it('restarts with growing pauses, and forgets them after a good while', async () => {
    const { role, last, children, deaths, simulation } = setUp();
    const started = role.start();
    last().says({ type: 'ready' });
    await started;
    for (let i = 0; i < 8; i++) {
      last().exits(null, 'SIGKILL');
      await simulation.advance(10_000);
    }
    expect(children).toHaveLength(9);
    expect(deaths.map(({ delayMs }) => delayMs)).toEqual([
      250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000,
    ]);
    await simulation.advance(60_000);
    last().exits(1);
    expect(deaths.at(-1)).toEqual({ how: 'exited with code 1', delayMs: 250 });
    expect(role.deaths).toBe(9);
  });

  it('drains, and starts a child again that is killed meanwhile', async () => {
    const { role, last, children } = setUp();
    const started = role.start();
    last().says({ type: 'ready' });
    await started;
    const drained = role.drain(20_000);
    expect(last().sent).toEqual([{ type: 'drain', timeoutMs: 20_000 }]);
    last().exits(null, 'SIGKILL');
    expect(children).toHaveLength(2);
    expect(last().sent).toEqual([]);
    last().says({ type: 'ready' });
    expect(last().sent).toHaveLength(1);
    last().exits(0);
    expect(await drained).toBe(true);
    expect(role.deaths).toBe(1);
  });

  it('starts a child that is waiting for its restart, to drain it', async () => {
    const { role, last, children } = setUp();
    const started = role.start();
    last().says({ type: 'ready' });
    await started;
    last().exits(null, 'SIGKILL');
    const drained = role.drain(20_000);
    expect(children).toHaveLength(2);
    last().says({ type: 'ready' });
    last().exits(0);
    expect(await drained).toBe(true);
  });

  it('says so where a drain does not finish, and kills a child that hangs', async () => {
    const { role, last, simulation } = setUp();
    const started = role.start();
    last().says({ type: 'ready' });
    await started;
    const drained = role.drain(1_000);
    last().exits(1);
    expect(await drained).toBe(false);

    const other = setUp();
    const otherStarted = other.role.start();
    other.last().says({ type: 'ready' });
    await otherStarted;
    const hanging = other.role.drain(1_000);
    await other.simulation.advance(7_000);
    expect(await hanging).toBe(false);
    expect(other.last().killed).toBe('SIGKILL');
    await simulation.advance(7_000);
    expect(last().killed).toBeUndefined();
  });
});
