import { describe, expect, it } from 'vitest';
import { ByteBudget } from '../../broker/byte-budget.js';
import { ClientConnection, type ConnectionHost } from '../../broker/client-connection.js';
import { FrameMemory } from '../../protocol/index.js';
import type { Connection, ConnectionEvents } from '../../system/index.js';
import { createSimSystem } from '../../system/sim/index.js';

const simulation = createSimSystem({ seed: 1 });
const PRODUCE = 0;
const OTHER = 3;

/** A request of this key whose body is one byte, over and over. */
function frameOf(key: number, fill: number, size = 20_000): Buffer {
  const frame = Buffer.alloc(4 + size, fill);
  frame.writeInt32BE(size, 0);
  frame.writeInt16BE(key, 4);
  return frame;
}

interface Told {
  /** What each write returned false for ends with a drain. */
  takes: boolean;
  isPaused: boolean;
  isDestroyed: boolean;
  writtenBytes: number;
  events: ConnectionEvents;
}

/** A client whose other end the test plays. */
function client(answer: ConnectionHost['answer'], changes: Partial<ConnectionHost> = {}) {
  const told = { takes: true, isPaused: false, isDestroyed: false, writtenBytes: 0 } as Told;
  const connection = {
    remoteAddress: 'test',
    queuedBytes: 0,
    handle: (handlers: ConnectionEvents) => {
      told.events = handlers;
    },
    write: (chunks: readonly Uint8Array[]) => {
      for (const chunk of chunks) told.writtenBytes += chunk.length;
      if (!told.takes) connection.queuedBytes = told.writtenBytes;
      return told.takes;
    },
    pause: () => {
      told.isPaused = true;
    },
    resume: () => {
      told.isPaused = false;
    },
    end: () => {},
    destroy: () => {
      told.isDestroyed = true;
    },
  } satisfies Connection;
  const system = simulation.process('broker');
  const counter = system.metrics.counter('bytes', 'Bytes.');
  const host: ConnectionHost = {
    clock: system.clock,
    log: system.log,
    maxRequestBytes: 1_000_000,
    maxIdleMs: Number.POSITIVE_INFINITY,
    maxWaiting: 500,
    requestBytes: new ByteBudget(Number.POSITIVE_INFINITY),
    answerBytes: new ByteBudget(Number.POSITIVE_INFINITY),
    answerRoom: () => 0,
    receivedBytes: counter,
    sentBytes: counter,
    frameMemory: new FrameMemory(1_000_000),
    isProduce: (frame) => frame.readInt16BE(0) === PRODUCE,
    answer,
    ...changes,
  };
  const asked = new ClientConnection(connection, host, () => {});
  const receiveBuffer = Buffer.alloc(1024 * 1024);
  const arrive = (bytes: Buffer) => {
    bytes.copy(receiveBuffer);
    told.events.onData(receiveBuffer.subarray(0, bytes.length));
    receiveBuffer.fill(0xdb);
  };
  return { arrive, told, asked };
}

/**
 * A client all of whose bytes arrive in one receive buffer, as those of all sockets do; `answer`
 * sees its requests.
 */
const connectionTo = (answer: ConnectionHost['answer'], frameMemory?: FrameMemory) =>
  client(answer, frameMemory === undefined ? {} : { frameMemory }).arrive;

const bodyOf = (frame: Buffer) => new Set(frame.subarray(2));

it('a request that is still worked on, or waits, keeps its bytes', async () => {
  const kept: Buffer[] = [];
  const arrive = connectionTo((frame) => {
    kept.push(frame);
    return frame.readInt16BE(0) === OTHER ? new Promise(() => {}) : undefined;
  });
  arrive(Buffer.concat([frameOf(PRODUCE, 1), frameOf(OTHER, 2), frameOf(PRODUCE, 3)]));
  arrive(frameOf(PRODUCE, 9));
  // The first is done with; the second is being worked on, the third waits for it.
  expect(kept).toHaveLength(2);
  expect(bodyOf(kept[1]!)).toEqual(new Set([2]));
});

it('the requests behind one that took long are as they came', async () => {
  let finish: (answer: undefined) => void = () => {};
  const seen: Set<number>[] = [];
  const arrive = connectionTo((frame) => {
    seen.push(bodyOf(frame));
    if (frame.readInt16BE(0) !== OTHER) return undefined;
    return new Promise((resolve) => {
      finish = resolve;
    });
  });
  arrive(Buffer.concat([frameOf(OTHER, 1), frameOf(PRODUCE, 2), frameOf(PRODUCE, 3)]));
  arrive(frameOf(PRODUCE, 4));
  finish(undefined);
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen).toEqual([1, 2, 3, 4].map((fill) => new Set([fill])));
});

it('the receive buffer never becomes memory for a request', () => {
  const seen: Set<number>[] = [];
  const arrive = connectionTo((frame) => {
    seen.push(bodyOf(frame));
    return undefined;
  });
  arrive(frameOf(PRODUCE, 1));
  const second = frameOf(PRODUCE, 2).fill(3, 10_000);
  arrive(second.subarray(0, 10_000));
  arrive(second.subarray(10_000));
  expect(seen).toEqual([new Set([1]), new Set([2, 3])]);
});

it('requests that had to wait never become memory that others use as well', async () => {
  const { poolSize } = Buffer;
  Buffer.poolSize = 1 << 20;
  try {
    let finish: (answer: undefined) => void = () => {};
    const seen: Set<number>[] = [];
    const memory = new FrameMemory(4_000_000);
    const first = connectionTo((frame) => {
      if (frame.readInt16BE(0) !== OTHER) return undefined;
      return new Promise((resolve) => {
        finish = resolve;
      });
    }, memory);
    const keep = (frame: Buffer) => {
      seen.push(bodyOf(frame));
      return undefined;
    };
    const [second, third] = [connectionTo(keep, memory), connectionTo(keep, memory)];
    const behind = [2, 3, 4, 5].map((fill) => frameOf(PRODUCE, fill, 100_000));
    for (const frame of [frameOf(OTHER, 1), ...behind]) first(frame);
    finish(undefined);
    await new Promise((resolve) => setImmediate(resolve));
    // Both arrive in halves, so each has memory of its own until it is whole.
    const [one, other] = [frameOf(PRODUCE, 6, 1_000_000), frameOf(PRODUCE, 7, 1_000_000)];
    second(one.subarray(0, 500_000));
    third(other.subarray(0, 500_000));
    second(one.subarray(500_000));
    third(other.subarray(500_000));
    expect(seen).toEqual([new Set([6]), new Set([7])]);
  } finally {
    Buffer.poolSize = poolSize;
  }
});

it.each([PRODUCE, OTHER])('nothing behind a request that failed is done (key %i)', (key) => {
  const done: number[] = [];
  const { arrive, told } = client((frame) => {
    done.push(frame[2] ?? 0);
    if (frame[2] === 2) throw new Error('it failed');
    return undefined;
  });
  arrive(Buffer.concat([1, 2, 3, 4].map((fill) => frameOf(key, fill))));
  arrive(frameOf(key, 5));
  expect(told.isDestroyed).toBe(true);
  expect(done).toEqual([1, 2]);
});

it('nor behind one that failed late', async () => {
  const done: number[] = [];
  const { arrive, told } = client(async (frame) => {
    done.push(frame[2] ?? 0);
    throw new Error('it failed');
  });
  arrive(Buffer.concat([1, 2].map((fill) => frameOf(OTHER, fill))));
  await simulation.run(simulation.process('broker').clock.sleep(1));
  arrive(frameOf(OTHER, 3));
  expect(told.isDestroyed).toBe(true);
  expect(done).toEqual([1]);
});

describe('memory is bounded', () => {
  it('a request starts only where the client has taken the answers before', () => {
    let answers = 0;
    const { arrive, told } = client(() => {
      answers++;
      return [Buffer.alloc(50_000)];
    });
    told.takes = false;
    arrive(Buffer.concat(Array.from({ length: 20_000 }, () => frameOf(OTHER, 1, 20))));
    expect(answers).toBeLessThan(5);
    // And no more is read while so many wait.
    expect(told.isPaused).toBe(true);
    told.takes = true;
    told.events.onDrain();
    expect(answers).toBe(20_000);
    expect(told.isPaused).toBe(false);
  });

  it('a large request waits for room, the first come first; a small one does not', () => {
    const requestBytes = new ByteBudget(400_000);
    const done: string[] = [];
    const start = (name: string) =>
      client(
        () => {
          done.push(name);
          return undefined;
        },
        { requestBytes },
      );
    const [first, second, third, small] = ['first', 'second', 'third', 'small'].map(start);
    const large = frameOf(OTHER, 1, 500_000);
    first!.arrive(large.subarray(0, 100));
    second!.arrive(large.subarray(0, 100));
    third!.arrive(large.subarray(0, 100));
    expect([first, second, third].map((one) => one?.told.isPaused)).toEqual([false, true, true]);
    small!.arrive(frameOf(OTHER, 1, 50));
    expect(done).toEqual(['small']);
    first!.arrive(large.subarray(100));
    expect([first, second, third].map((one) => one?.told.isPaused)).toEqual([false, false, true]);
    // One that goes away makes room too, and so does one that waits no longer.
    third!.told.events.onClose(undefined);
    second!.told.events.onClose(undefined);
    expect(done).toEqual(['small', 'first']);
    expect(requestBytes.usedBytes).toBe(0);
  });

  it('who pauses amid a large request loses its place', async () => {
    const requestBytes = new ByteBudget(400_000);
    const { arrive, told } = client(() => undefined, { requestBytes });
    arrive(frameOf(OTHER, 1, 500_000).subarray(0, 100));
    await simulation.advance(20_000);
    expect(told.isDestroyed).toBe(false);
    await simulation.advance(60_000);
    expect(told.isDestroyed).toBe(true);
    told.events.onClose(undefined);
    expect(requestBytes.usedBytes).toBe(0);
  });

  it('nor does a drop now and then keep it; whoever is merely slow stays', async () => {
    const requestBytes = new ByteBudget(400_000);
    const drip = client(() => undefined, { requestBytes });
    const slow = client(() => [Buffer.alloc(8)], { requestBytes });
    const frame = frameOf(OTHER, 1, 300_000);
    drip.arrive(frame.subarray(0, 100));
    slow.arrive(frame.subarray(0, 100));
    for (let at = 100; at < frame.length; at += 20_000) {
      await simulation.advance(10_000);
      if (!drip.told.isDestroyed) drip.arrive(frame.subarray(0, 1));
      slow.arrive(frame.subarray(at, at + 20_000));
    }
    expect([drip.told.isDestroyed, slow.told.isDestroyed]).toEqual([true, false]);
    drip.told.events.onClose(undefined);
    expect(requestBytes.usedBytes).toBe(0);
  });

  it('an answer counts until the client has taken it', async () => {
    const answerBytes = new ByteBudget(1_000_000);
    const { arrive, told } = client(
      (_, requester) => {
        expect(requester.reserveAnswer(600_000)).toBe(250_000);
        requester.holdAnswer(200_000);
        expect(answerBytes.usedBytes).toBe(200_000);
        return [Buffer.alloc(200_000)];
      },
      { answerBytes, answerRoom: () => Math.floor(answerBytes.freeBytes / 4) },
    );
    told.takes = false;
    arrive(frameOf(OTHER, 1, 50));
    expect(answerBytes.usedBytes).toBe(200_000);
    told.events.onClose(undefined);
    expect(answerBytes.usedBytes).toBe(0);
  });
});
