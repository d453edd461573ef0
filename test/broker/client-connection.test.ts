import { expect, it } from 'vitest';
import { ClientConnection, type ConnectionHost } from '../../broker/client-connection.js';
import { FrameMemory } from '../../protocol/index.js';
import type { Connection, ConnectionEvents } from '../../system/index.js';
import { createSimSystem } from '../../system/sim/index.js';

const PRODUCE = 0;
const OTHER = 3;

/** A request of this key whose body is one byte, over and over. */
function frameOf(key: number, fill: number, size = 20_000): Buffer {
  const frame = Buffer.alloc(4 + size, fill);
  frame.writeInt32BE(size, 0);
  frame.writeInt16BE(key, 4);
  return frame;
}

/**
 * A client all of whose bytes arrive in one receive buffer, as those of all sockets do; `answer`
 * sees its requests.
 */
function connectionTo(
  answer: ConnectionHost['answer'],
  frameMemory: FrameMemory = new FrameMemory(1_000_000),
) {
  let events: ConnectionEvents | undefined;
  const connection = {
    remoteAddress: 'test',
    queuedBytes: 0,
    handle: (handlers: ConnectionEvents) => {
      events = handlers;
    },
    write: () => true,
    pause: () => {},
    resume: () => {},
    end: () => {},
    destroy: () => {},
  } satisfies Connection;
  const system = createSimSystem({ seed: 1 }).process('broker');
  const counter = system.metrics.counter('bytes', 'Bytes.');
  const host: ConnectionHost = {
    clock: system.clock,
    log: system.log,
    maxRequestBytes: 1_000_000,
    maxIdleMs: Number.POSITIVE_INFINITY,
    receivedBytes: counter,
    sentBytes: counter,
    frameMemory,
    isProduce: (frame) => frame.readInt16BE(0) === PRODUCE,
    answer,
  };
  new ClientConnection(connection, host, () => {});
  const receiveBuffer = Buffer.alloc(512 * 1024);
  return (bytes: Buffer) => {
    bytes.copy(receiveBuffer);
    events?.onData(receiveBuffer.subarray(0, bytes.length));
    receiveBuffer.fill(0xdb);
  };
}

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
