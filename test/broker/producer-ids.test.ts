import { expect, it } from 'vitest';
import { InitProducerId, LONG_MAX } from '../../protocol/index.js';
import { batchOf, inWorld, type RawClient, valuesOf } from './world.js';

async function newId(client: RawClient): Promise<number> {
  const answer = await client.ask(InitProducerId, {
    transactionalId: null,
    transactionTimeoutMs: 1,
  });
  expect(answer).toMatchObject({ errorCode: 0, producerEpoch: 0 });
  return answer.producerId;
}

/** Produces one record per value, each in a batch of its own, and expects it to be taken. */
async function write(client: RawClient, id: number, values: readonly string[], firstSequence = 0) {
  for (const [index, value] of values.entries()) {
    const sequence = firstSequence + index;
    const options = { producerId: id, producerEpoch: 0, baseSequence: sequence };
    expect(await client.produce('logs', 0, batchOf([value], options))).toMatchObject({
      errorCode: 0,
    });
  }
}

it('a broker that lost its disk takes nothing for a repeat, whoever still writes', async () => {
  await inWorld({}, async ({ broker, connect, restart }) => {
    const before = await connect();
    const old = [await newId(before), await newId(before)];
    for (const id of old) await write(before, id, ['before 0', 'before 1']);
    await broker.stop();
    // Another disk: what the old life knew is gone, and its producers live on.
    await restart({ dataDir: '/empty' });
    const client = await connect();
    const fresh: number[] = [];
    for (let i = 0; i < 1200; i++) fresh.push(await newId(client));
    expect(fresh.filter((id) => old.includes(id))).toEqual([]);
    const [one, other] = [fresh[0] as number, fresh[1] as number];
    await write(client, one, ['new 0', 'new 1']);
    await write(client, old[0] as number, ['old 2', 'old 3'], 2);
    await write(client, other, ['other 0', 'other 1']);
    const { records } = await client.fetch('logs', 0, 0);
    expect(valuesOf(records).map(([, value]) => value)).toEqual([
      ...['new 0', 'new 1', 'old 2', 'old 3', 'other 0', 'other 1'],
    ]);
  });
});

it.each([0, 12_345, 2 ** 52, 2 ** 53 - 1001, 2 ** 53 - 1])(
  'an id that a client made up harms nobody after a restart: %d',
  async (madeUp) => {
    await inWorld({}, async ({ broker, connect, restart }) => {
      const client = await connect();
      const first = await newId(client);
      await write(client, madeUp, ['made up']);
      await broker.stop();
      await restart();
      const again = await connect();
      const ids = [await newId(again), await newId(again)];
      for (const id of ids) {
        expect(Number.isSafeInteger(id)).toBe(true);
        expect([first, madeUp]).not.toContain(id);
        await write(again, id, ['first of its producer']);
      }
    });
  },
);

it.each([2 ** 53, LONG_MAX])('an id beyond 2^53 is refused: %d', async (madeUp) => {
  await inWorld({}, async ({ broker, connect, restart }) => {
    const client = await connect();
    const options = { producerId: madeUp, producerEpoch: 0, baseSequence: 0 };
    const answer = await client.produce('logs', 0, batchOf(['x'], options));
    expect(answer).toMatchObject({ errorCode: 87, baseOffset: -1 });
    await broker.stop();
    await restart();
    expect(Number.isSafeInteger(await newId(await connect()))).toBe(true);
  });
});

it('the next id of a block, written under by somebody else, is not handed out', async () => {
  await inWorld({}, async ({ connect }) => {
    const client = await connect();
    const id = await newId(client);
    await write(client, id + 1, ['not mine']);
    const next = await newId(client);
    expect(next).toBe(id + 2);
    await write(client, next, ['mine']);
  });
});

it.each([2 ** 53, LONG_MAX, -5, 'x', null, 1.5])(
  'metadata that were poisoned by an earlier broker heal: next is %s',
  async (next) => {
    await inWorld({}, async ({ sim, broker, connect, restart }) => {
      await newId(await connect());
      await broker.stop();
      const { disk } = sim.process('editor');
      const path = '/data/metadata.json';
      const file = JSON.parse(disk.readFileSync(path).toString());
      file.entries['producer-ids'].value = { next };
      await disk.replaceFile(path, JSON.stringify(file));
      await restart();
      const client = await connect();
      const ids = [await newId(client), await newId(client)];
      expect(ids.every((id) => Number.isSafeInteger(id) && id >= 0)).toBe(true);
      expect(new Set(ids).size).toBe(2);
    });
  },
);
