import { describe, expect, it } from 'vitest';
import { Producer } from '../../../client/producer/index.js';
import {
  bytesType,
  FileValue,
  fileType,
  jsonClass,
  jsonType,
  stringType,
  ValueError,
  type ValueType,
  ValueTypes,
} from '../../../client/values/index.js';
import { createSimSystem } from '../../../system/sim/index.js';
import { FakeBroker } from '../producer/fake-broker.js';

class Order {
  constructor(
    readonly id: number,
    readonly lines: string[],
  ) {}

  get size(): number {
    return this.lines.length;
  }
}

class Payment {
  constructor(readonly cents: number) {}
}

const orderType = jsonClass('order', Order, ({ id, lines }: Order) => new Order(id, lines));
/** A codec of one's own: four bytes. */
const paymentType: ValueType<Payment> = {
  name: 'payment',
  matches: (value) => value instanceof Payment,
  encode: ({ cents }) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(cents);
    return { bytes };
  },
  decode: (bytes) => new Payment(bytes.readInt32BE(0)),
};

const all = () =>
  new ValueTypes([orderType, paymentType, fileType, stringType, bytesType, jsonType]);

function roundTrip(values: ValueTypes, value: unknown, reader = values): unknown {
  const { bytes, headers } = values.encode(value);
  const pairs = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const);
  const restored = reader.restore(Buffer.from(bytes), pairs);
  return restored.isRestored ? restored.value : restored;
}

describe('typed values', () => {
  it('come back as their own class', () => {
    const order = roundTrip(all(), new Order(7, ['a', 'b'])) as Order;
    expect(order).toBeInstanceOf(Order);
    expect(order.size).toBe(2);
    expect(roundTrip(all(), new Payment(1999))).toEqual(new Payment(1999));
    expect(roundTrip(all(), new Payment(1999))).toBeInstanceOf(Payment);
    expect(roundTrip(all(), 'text ä')).toBe('text ä');
    expect(roundTrip(all(), Buffer.from([0, 255]))).toEqual(Buffer.from([0, 255]));
    expect(roundTrip(all(), { a: [1, null, 'x'] })).toEqual({ a: [1, null, 'x'] });
    const file = roundTrip(all(), new FileValue('/some/where/report.pdf', Buffer.from('%PDF')));
    expect(file).toEqual(new FileValue('report.pdf', Buffer.from('%PDF')));
  });

  it('carry their name in the header content-type', () => {
    expect(all().encode(new Payment(1)).headers).toEqual({ 'content-type': 'payment' });
    expect(all().encode(new FileValue('/x/a.txt', Buffer.alloc(0))).headers).toEqual({
      'content-type': 'file',
      'file-name': 'a.txt',
    });
  });

  it('are counted where the reader has not registered them', () => {
    const reader = new ValueTypes([orderType]);
    expect(roundTrip(all(), new Payment(1), reader)).toEqual({
      isRestored: false,
      type: 'payment',
    });
    roundTrip(all(), new Payment(2), reader);
    expect(roundTrip(all(), new Order(1, []), reader)).toEqual(new Order(1, []));
    expect(reader.restore(Buffer.from('plain'), [])).toEqual({
      isRestored: false,
      type: undefined,
    });
    expect([...reader.skipped]).toEqual([
      ['payment', 2],
      ['', 1],
    ]);
  });

  it('are refused where nobody knows them, or knows them twice', () => {
    const values = new ValueTypes([stringType]);
    expect(() => values.encode(new Order(1, []))).toThrow(/an object of class Order is of no/);
    expect(() => new ValueTypes([jsonType]).encode(new Order(1, []))).toThrow(ValueError);
    expect(() => values.register(stringType)).toThrow(/registered already/);
    const broken = [['content-type', Buffer.from('order')]] as const;
    expect(() => all().restore(Buffer.from('{'), broken)).toThrow(
      /says that it is of type 'order'/,
    );
  });

  it('share a topic, files among them', async () => {
    const sim = createSimSystem({ seed: 1 });
    const broker = await sim.run(
      FakeBroker.listen(sim.process('broker').net, { topics: { mixed: 1 } }),
    );
    const client = sim.process('client');
    client.disk.makeDirectorySync('/in');
    client.disk.replaceFileSync('/in/letter.txt', 'Dear all');
    const producer = new Producer({ bootstrap: ['127.0.0.1:9092'], values: all() }, client);
    await sim.run(
      producer.send([
        { topic: 'mixed', value: new Order(1, ['x']), headers: { own: 'kept' } },
        { topic: 'mixed', value: new Payment(5) },
        { topic: 'mixed', value: null },
      ]),
    );
    await sim.run(producer.sendFile('mixed', '/in/letter.txt', { key: 'k' }));
    const log = broker.log('mixed');
    expect(log.map(({ headers }) => headers)).toEqual([
      { own: 'kept', 'content-type': 'order' },
      { 'content-type': 'payment' },
      {},
      { 'content-type': 'file', 'file-name': 'letter.txt' },
    ]);
    expect(log[3]).toMatchObject({ key: 'k', value: 'Dear all' });
    await expect(
      sim.run(producer.send({ topic: 'mixed', value: new (class Unknown {})() })),
    ).rejects.toThrow(/an object of class Unknown/);
  });
});
