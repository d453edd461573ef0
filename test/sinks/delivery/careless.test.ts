import { describe, expect, it, vi } from 'vitest';
import * as mini from 'zod/mini';
import { z } from '../../../config/index.js';
import { type Destination, deliverySink, type Verdict } from '../../../sinks/delivery/index.js';
import type { SinkContext } from '../../../sinks/sink.js';
import { createSimSystem, type SimProcess } from '../../../system/sim/index.js';
import { FakeTopic } from '../fake-topic.js';
import { FakeDestination, startSender, unavailable } from './delivery-world.js';

/** A world in which the destination gives what its types do not allow, as JavaScript may. */
function worldOf(answers: readonly unknown[]) {
  const sim = createSimSystem({ seed: 31 });
  const process = sim.process('sender');
  const topic = new FakeTopic().fill(3);
  let calls = 0;
  const accept = () => {
    calls += 1;
    return { kind: 'accepted' };
  };
  const answer = () => (calls < answers.length ? answers[calls++] : accept()) as Verdict;
  const sender = startSender(process, topic, new FakeDestination(process, answer));
  return { sim, topic, sender, calls: () => calls };
}

const contextOf = (system: SimProcess): SinkContext => ({
  ...{ system, name: 'lines', clientId: 'lines', bootstrap: [], from: 'earliest' },
  ...{ directory: '/data/lines', instance: 'one', acceptGap: false, onArrived: () => undefined },
});

describe('a careless destination', () => {
  it.each<[string, unknown]>([
    ['another kind', { kind: 'rejected', reason: 'no' }],
    ['a text', 'accepted'],
    ['true', true],
    ['nothing', null],
    ['an answer of fetch', { status: 200 }],
  ])('accepts nothing by %s, and a person hears of it', async (_name, garbage) => {
    const { sim, topic, sender } = worldOf([garbage]);
    await sim.run(sim.process('sender').clock.sleep(5_000));
    expect(topic.committed).toBe(0);
    expect(sender.status.blocked).toMatch(/gave no verdict/);
    await sim.run(sender.drain(3));
    expect(topic.committed).toBe(3);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, '5', null])(
    'that asks for %s ms is asked again all the same',
    async (retryAfterMs) => {
      const { sim, topic, sender, calls } = worldOf([{ ...unavailable, retryAfterMs }]);
      const { clock } = sim.process('sender');
      // Whatever is asked for, an hour is the longest.
      await sim.run(clock.sleep(3_500_000));
      await sim.run(sender.drain(3));
      expect([topic.committed, calls()]).toEqual([3, 2]);
    },
  );

  it.each<[string, () => unknown]>([
    ['nothing', () => undefined],
    ['a text', () => 'text'],
    ['a promise', () => Promise.resolve(Buffer.alloc(1))],
  ])('that encodes records to %s has nothing sent', async (_name, encode) => {
    const sim = createSimSystem({ seed: 32 });
    const process = sim.process('sender');
    const topic = new FakeTopic().fill(1);
    const destination = new FakeDestination(process, () => ({ kind: 'accepted' }));
    Object.assign(destination, { encode });
    const sender = startSender(process, topic, destination);
    await sim.run(process.clock.sleep(5_000));
    expect([topic.committed, sender.status.blocked]).toEqual([
      0,
      'offset 0 is refused: it cannot be encoded: encode() gave no Buffer',
    ]);
  });

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /create\(\) of careless gave no destination: it must have shown/],
    ['a promise', Promise.resolve({}), /must have shown, formats/],
    ['no formats', { shown: 'x', encode() {}, send() {} }, /it must have formats$/],
    [
      'one format',
      { shown: 'x', formats: 'text', encode() {}, send() {} },
      /it must have formats$/,
    ],
    ['no functions', { shown: 'x', formats: ['text'] }, /it must have encode, send$/],
  ])('is refused when it is made where it is %s', (_name, made, words) => {
    const component = deliverySink({
      type: 'careless',
      schema: z.object({}),
      create: () => made as Destination,
    });
    const process = createSimSystem({ seed: 33 }).process('sink');
    const create = () => component.create(component.schema.parse({}) as never, contextOf(process));
    expect(create).toThrow(words);
  });

  it('is taken whichever zod made its schema', () => {
    const schema = mini.object({ to: mini.string() });
    const create = () => ({}) as Destination;
    const made = deliverySink({ type: 'careless', schema: schema as never, create });
    const options = made.schema._zod.def.shape;
    expect(Object.keys(options).slice(0, 3)).toEqual(['to', 'batch', 'timeout']);
  });

  it.each<[string, () => Promise<void>]>([
    ['never closes', () => new Promise(() => {})],
    ['fails to close', () => Promise.reject(new Error('stuck'))],
    [
      'throws',
      () => {
        throw new Error('stuck');
      },
    ],
  ])('that %s lets its sink stop', async (_name, close) => {
    const sim = createSimSystem({ seed: 34 });
    const process = sim.process('sink');
    const made = Object.assign(new FakeDestination(process, () => unavailable), { close });
    const component = deliverySink({ type: 'a', schema: z.object({}), create: () => made });
    const sink = await component.create(component.schema.parse({}) as never, contextOf(process));
    const warn = vi.spyOn(process.log, 'warn');
    const startedMs = process.clock.monotonic();
    await sim.run(sink.close());
    expect(process.clock.monotonic() - startedMs).toBeLessThanOrEqual(3_000);
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/^the collector was not closed: /));
  });

  it('may not ask for what all destinations are asked', () => {
    const schema = z.object({ batch: z.string(), url: z.string(), timeout: z.string() });
    const create = () => ({}) as Destination;
    expect(() => deliverySink({ type: 'careless', schema, create })).toThrow(
      'the schema of "careless" has an option batch, timeout: all deliverySink types have that',
    );
  });
});
