import { describe, expect, it } from 'vitest';
import { storeGeneration } from '../../agent/sources/file/generation.js';
import { startState, step } from '../../agent/sources/file/identity.js';
import type { IdentityEvent, Sighting } from '../../agent/sources/file/identity-events.js';
import { markOf } from '../../agent/sources/file/mark.js';

const hour = 3_600_000;

const seen = (path: string, inode: number, size = 100): Sighting => ({
  ...{ path, inode, size, device: 1, modifiedMs: 5, compressed: false, matched: true },
});

const full = markOf(Buffer.alloc(1024, 'x'), 0, 1024);
const place = (position: number) => ({ position, tail: full });

/** A state to which events happen. */
class Play {
  readonly state = startState(undefined, false);

  tell(event: IdentityEvent, now = 1000): string[] {
    return step(this.state, event, now).map(({ type, ...rest }) =>
      [type, ...Object.values(rest).map((value) => JSON.stringify(value))].join(' '),
    );
  }

  list(...sightings: Sighting[]): string[] {
    return this.tell({ type: 'listed', startedMs: 0, sinceLastMs: 0, hidden: [], sightings });
  }

  poll(id: number, size: number, more: { unlinked?: boolean; drained?: boolean } = {}, now = 1000) {
    const { unlinked = false, drained = true } = more;
    const ageMs = now - 5;
    return this.tell({ type: 'polled', id, size, modifiedMs: 5, ageMs, unlinked, drained }, now);
  }

  examine(id: number, likeness: [number, 'same' | 'part' | 'unclear' | 'different'][] = []) {
    return this.tell({
      type: 'examined',
      id,
      end: place(50),
      likeness: new Map(likeness),
      isWhole: true,
      head: full,
    });
  }

  /** The next file: found, opened, begun and read. */
  begin(path: string, inode: number): void {
    const id = this.state.nextId;
    this.list(seen(path, inode));
    this.poll(id, 100);
    this.examine(id);
    this.tell({ type: 'advanced', id, place: place(100), fingerprint: full });
    this.poll(id, 100);
  }
}

describe('startState', () => {
  it('puts what will be found behind all that is stored', () => {
    const first = new Play();
    first.begin('/l/a', 1);
    const [known] = first.state.generations.values();
    if (!known) throw new Error('nothing began');
    const stored = storeGeneration({ ...known, order: 27.5 }, known.place);
    const source = { type: 'file' as const, looked_ms: 5, generations: [stored] };
    expect(startState(source, false).nextId).toBe(28);
  });
});

describe('step', () => {
  it('opens, examines and begins a new file', () => {
    const play = new Play();
    expect(play.list(seen('/l/a', 1))).toEqual(['open 0']);
    expect(play.poll(0, 0)).toEqual([]);
    expect(play.poll(0, 10)).toEqual(['examine 0']);
    expect(play.examine(0)).toEqual(['begin 0 false']);
  });

  it('puts what replaces a generation before files that were found since', () => {
    const play = new Play();
    play.begin('/l/a', 1);
    play.list(seen('/l/a.1', 1), seen('/l/a', 2));
    expect(play.tell({ type: 'replaced', id: 0 })).toEqual(['move 0 2', 'list']);
    const orders = [...play.state.generations.values()].map(({ id, order }) => ({ id, order }));
    expect(orders.sort((a, b) => a.order - b.order).map(({ id }) => id)).toEqual([0, 2, 1]);
  });

  it('goes on at a copy once its original is cut', () => {
    const play = new Play();
    play.begin('/l/a', 1);
    play.list(seen('/l/a', 1), seen('/l/a.1', 2));
    play.poll(1, 100);
    expect(play.examine(1, [[0, 'same']])).toEqual([]);
    play.poll(0, 0);
    expect(play.examine(1, [[0, 'same']])).toEqual(['move 1 0']);
    expect(play.state.generations.get(0)?.inode).toBe(2);
  });

  it('goes on at a copy once its original is deleted and read up', () => {
    const play = new Play();
    play.begin('/l/a', 1);
    play.list(seen('/l/a.gz', 2));
    play.poll(1, 100);
    play.poll(0, 100, { unlinked: true, drained: false });
    expect(play.examine(1, [[0, 'same']])).toEqual([]);
    play.poll(0, 100, { unlinked: true, drained: true });
    expect(play.examine(1, [[0, 'same']])).toEqual(['close 0', 'move 1 0']);
  });

  it.each([
    ['not sent again', 50, 'close 1'],
    ['sent where it has become another one', 60, 'begin 1 false'],
  ])('a short copy whose original is cut is %s', (_, size, then) => {
    const play = new Play();
    play.begin('/l/a', 1);
    play.tell({ type: 'settled' });
    play.list(seen('/l/a', 1), { ...seen('/l/a.1', 2), matched: false });
    play.poll(1, 50);
    expect(play.examine(1, [[0, 'unclear']])).toEqual([]);
    play.poll(0, 0);
    expect(play.poll(1, size)).toEqual(['examine 1']);
    expect(play.examine(1)).toEqual([then]);
  });

  it('lets a resting file be closed and takes it up when it changes', () => {
    const play = new Play();
    play.begin('/l/a', 1);
    expect(play.poll(0, 100, {}, hour)).toEqual(['close 0']);
    expect(play.list(seen('/l/a', 1))).toEqual([]);
    expect(play.list(seen('/l/a', 1, 200))).toEqual(['open 1']);
    expect(play.poll(1, 200)).toEqual(['examine 1']);
    expect(play.examine(1, [[0, 'same']])).toEqual(['move 1 0']);
  });

  it('does not take another file at the inode of a resting one for it', () => {
    const play = new Play();
    play.begin('/l/a', 1);
    play.poll(0, 100, {}, hour);
    play.list(seen('/l/a', 1, 200));
    play.poll(1, 200);
    expect(play.examine(1)).toEqual(['begin 1 false']);
  });

  it('closes a file without a name after a while, and forgets it after a day', () => {
    const play = new Play();
    play.begin('/l/a', 1);
    play.list();
    expect(play.poll(0, 100, { unlinked: true }, 30_000)).toEqual([]);
    expect(play.poll(0, 100, { unlinked: true }, 90_000)).toEqual(['close 0']);
    expect(play.tell({ type: 'settled' }, 2 * hour)).toEqual([]);
    expect(play.tell({ type: 'settled' }, 30 * hour)).toEqual(['forget 0']);
  });

  it.each([
    ['first', 'not asked for', '/l/away', false, '/l/a'],
    ['first', 'a rotation of it', '/l/a.1', true, '/l/a'],
    ['later', 'asked for too', '/l/b', true, '/l/b'],
  ])('gives a file that was empty its %s name if the later is %s', (_, __, to, matched, key) => {
    const play = new Play();
    play.list(seen('/l/a', 1));
    play.poll(0, 0);
    play.list({ ...seen(to, 1), matched });
    play.poll(0, 10);
    expect(play.examine(0)).toEqual(['begin 0 false']);
    expect(play.state.generations.get(0)?.origin).toBe(key);
  });

  it.each([
    ['its predecessor’s', false, '/l/a'],
    ['its own', true, '/l/b'],
  ])('gives what is in a file that was renamed and cut %s name', (_, matched, key) => {
    const play = new Play();
    play.begin('/l/a', 1);
    play.list({ ...seen('/l/b', 1), matched });
    play.poll(0, 0);
    play.list({ ...seen('/l/b', 1), matched });
    play.poll(1, 10);
    expect(play.examine(1)).toEqual(['begin 1 false']);
    expect(play.state.generations.get(1)?.origin).toBe(key);
  });

  it('goes back to what was acknowledged, and still knows the places before it', () => {
    const play = new Play();
    play.begin('/l/a', 1);
    for (const position of [200, 300, 400]) {
      play.tell({ type: 'advanced', id: 0, place: place(position), fingerprint: full });
    }
    expect(play.tell({ type: 'rewound', id: 0, place: place(300) })).toEqual([]);
    const generation = play.state.generations.get(0);
    expect(generation?.place).toEqual(place(300));
    expect(generation?.passed.map(({ position }) => position)).toEqual([100, 200]);
  });

  it('moves over the unfinished line of a file that is gone, which no other will hold', () => {
    const play = new Play();
    play.begin('/l/a', 1);
    play.tell({ type: 'replaced', id: 0 });
    expect(play.tell({ type: 'restSent', id: 0, place: place(107) })).toEqual([]);
    expect(play.state.generations.get(0)).toMatchObject({ place: place(107), passed: [] });
    expect(play.tell({ type: 'restSent', id: 9, place: place(107) })).toEqual([]);
  });

  it('passes over what is there at the very first look of read_from: end', () => {
    const state = startState(undefined, true);
    const tell = (event: IdentityEvent) => step(state, event, 1);
    tell({
      type: 'listed',
      startedMs: 0,
      sinceLastMs: 0,
      hidden: [],
      sightings: [seen('/l/a', 1)],
    });
    tell({
      type: 'polled',
      id: 0,
      size: 9,
      modifiedMs: 5,
      ageMs: 0,
      unlinked: false,
      drained: false,
    });
    const examined = (id: number): IdentityEvent => ({
      ...{ type: 'examined', id, end: place(9), likeness: new Map(), isWhole: true, head: full },
    });
    expect(tell(examined(0))).toEqual([{ type: 'begin', id: 0, atEnd: true }]);
    tell({ type: 'settled' });
    tell({
      type: 'listed',
      startedMs: 2,
      sinceLastMs: 0,
      hidden: [],
      sightings: [seen('/l/a', 1), seen('/l/b', 2)],
    });
    tell({
      type: 'polled',
      id: 1,
      size: 9,
      modifiedMs: 5,
      ageMs: 0,
      unlinked: false,
      drained: false,
    });
    expect(tell(examined(1))).toEqual([{ type: 'begin', id: 1, atEnd: false }]);
  });
});
