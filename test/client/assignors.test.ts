import { PartitionAssigners } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { assignors, type GroupMember } from '../../client/consumer/assignors/index.js';
import { encodeStickyData } from '../../client/consumer/assignors/sticky-data.js';

const member = (memberId: string, topics: readonly string[], rest = {}): GroupMember => ({
  memberId,
  topics,
  groupInstanceId: null,
  userData: null,
  ...rest,
});

const dealt = (
  name: keyof typeof assignors,
  members: readonly GroupMember[],
  counts: Readonly<Record<string, number>>,
) =>
  Object.fromEntries(
    [...assignors[name].assign(members, new Map(Object.entries(counts)))].map(
      ([id, partitions]) => [id, partitions.map(({ topic, partition }) => `${topic}${partition}`)],
    ),
  );

describe('range', () => {
  it('gives neighbours to each, the first ones one more, topic by topic', () => {
    const members = [member('b', ['t', 'u']), member('a', ['t', 'u']), member('c', ['t'])];
    expect(dealt('range', members, { t: 5, u: 3 })).toEqual({
      a: ['t0', 't1', 'u0', 'u1'],
      b: ['t2', 't3', 'u2'],
      c: ['t4'],
    });
  });

  it('orders static members by their instance id', () => {
    const members = [
      member('z', ['t'], { groupInstanceId: 'i1' }),
      member('a', ['t'], { groupInstanceId: 'i2' }),
    ];
    expect(dealt('range', members, { t: 3 })).toEqual({ z: ['t0', 't1'], a: ['t2'] });
  });

  it('leaves members without partitions with nothing', () => {
    expect(dealt('range', [member('a', ['t']), member('b', ['t'])], { t: 1 })).toEqual({
      a: ['t0'],
      b: [],
    });
    expect(dealt('range', [member('a', ['missing'])], {})).toEqual({ a: [] });
  });
});

describe('roundrobin', () => {
  it('deals all partitions in turn to those who subscribe', () => {
    const members = [member('b', ['t', 'u']), member('a', ['t'])];
    expect(dealt('roundrobin', members, { t: 3, u: 2 })).toEqual({
      a: ['t0', 't2'],
      b: ['t1', 'u0', 'u1'],
    });
  });

  it('bears the name that kafkajs uses for it too', () => {
    expect(Object.keys(assignors)).toContain('roundrobin');
    expect(typeof PartitionAssigners.roundRobin).toBe('function');
  });
});

describe('sticky', () => {
  const owning = (id: string, partitions: readonly number[], generation = 1) =>
    member(id, ['t'], {
      userData: encodeStickyData(
        partitions.map((partition) => ({ topic: 't', partition })),
        generation,
      ),
    });

  it('keeps what everybody had when somebody comes, and moves only what it must', () => {
    const members = [owning('a', [0, 1, 2]), owning('b', [3, 4, 5]), member('c', ['t'])];
    const after = dealt('sticky', members, { t: 6 });
    expect(Object.values(after).map((list) => list.length)).toEqual([2, 2, 2]);
    expect(['t0', 't1', 't2']).toEqual(expect.arrayContaining(after.a!));
    expect(['t3', 't4', 't5']).toEqual(expect.arrayContaining(after.b!));
  });

  it('gives the partitions of one that left to those who have least', () => {
    const after = dealt('sticky', [owning('a', [0, 1]), owning('b', [2])], { t: 6 });
    expect(after.a).toEqual(expect.arrayContaining(['t0', 't1']));
    expect(after.b).toContain('t2');
    expect([after.a!.length, after.b!.length]).toEqual([3, 3]);
  });

  it('believes the later generation where two claim the same', () => {
    const after = dealt('sticky', [owning('a', [0, 1], 3), owning('b', [0, 1], 4)], { t: 2 });
    expect([after.a!.length, after.b!.length]).toEqual([1, 1]);
    const alone = dealt('sticky', [owning('a', [0], 3), owning('b', [0], 4)], { t: 1 });
    expect(alone).toEqual({ a: [], b: ['t0'] });
  });

  it('writes the bytes that Java’s StickyAssignor reads', () => {
    const bytes = encodeStickyData(
      [
        { topic: 'ab', partition: 1 },
        { topic: 'ab', partition: 3 },
      ],
      7,
    );
    expect(bytes.toString('hex')).toBe('000000010002616200000002000000010000000300000007');
  });

  it('takes data it cannot read for none', () => {
    const broken = member('a', ['t'], { userData: Buffer.from([0, 0, 0, 9, 1]) });
    expect(dealt('sticky', [broken], { t: 1 })).toEqual({ a: ['t0'] });
  });
});

it.each(Object.keys(assignors) as (keyof typeof assignors)[])(
  '%s gives each partition to exactly one subscriber, evenly where all subscribe to all',
  (name) => {
    for (let members = 1; members <= 5; members++) {
      for (let partitions = 0; partitions <= 12; partitions++) {
        const all = Array.from({ length: members }, (_, index) => member(`m${index}`, ['t']));
        const lists = Object.values(dealt(name, all, { t: partitions }));
        expect(new Set(lists.flat()).size).toBe(partitions);
        expect(lists.flat().length).toBe(partitions);
        const sizes = lists.map((list) => list.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }
    }
  },
);
