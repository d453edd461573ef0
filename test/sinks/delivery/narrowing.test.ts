import { describe, expect, it } from 'vitest';
import { narrowingOf, nextOf, step } from '../../../sinks/delivery/narrowing.js';
import type { OffsetSpan } from '../../../sinks/delivery/outbox.js';
import { createSimSystem } from '../../../system/sim/index.js';

const LIMIT = 5;

/** Narrows one cut down; `answer` sees which records a request holds, and its number. */
function narrow(records: number, answer: (span: OffsetSpan, request: number) => boolean) {
  const offsets = Array.from({ length: records }, (_, i) => i);
  const state = narrowingOf([{ start: 0, end: records - 1 }], offsets, LIMIT);
  const accepted: number[] = [];
  const dead: number[] = [];
  let isStopped = false;
  let requests = 0;
  for (;;) {
    const span = nextOf(state);
    if (span === undefined || isStopped) break;
    const isAccepted = answer(span, requests);
    requests += 1;
    if (isAccepted) for (let at = span.start; at <= span.end; at += 1) accepted.push(at);
    for (const effect of step(state, { type: isAccepted ? 'accepted' : 'refused' }, 0)) {
      if (effect.type === 'stop') isStopped = true;
      if (effect.type !== 'bury') continue;
      dead.push(effect.at.start);
      step(state, { type: 'buried' }, 0);
    }
  }
  const left = state.ranges.flatMap(({ start, end }) =>
    Array.from({ length: end - start + 1 }, (_, i) => start + i),
  );
  return { accepted, dead, isStopped, requests, left };
}

describe('narrowing a refused cut down', () => {
  it('finds the records at fault, and asks twice before it says so', () => {
    const bad = new Set([3, 4, 9]);
    const { accepted, dead, left, isStopped } = narrow(10, ({ start, end }) =>
      [...bad].every((at) => at < start || at > end),
    );
    expect({ dead, left, isStopped }).toEqual({ dead: [3, 4], left: [9], isStopped: false });
    expect(accepted).toEqual([0, 1, 2, 5, 6, 7, 8]);
  });

  it('stops where record after record is refused, and none is at fault', () => {
    const { dead, left, isStopped, requests } = narrow(500, () => false);
    expect({ dead, isStopped, left: left.length }).toEqual({
      dead: [],
      isStopped: true,
      left: 500,
    });
    expect(requests).toBeLessThan(20);
  });

  it('decides nothing about a record that is alone', () => {
    expect(narrow(1, () => false)).toMatchObject({ dead: [], left: [0], isStopped: false });
  });

  it('never loses a record, nor buries a good one, whenever a destination is out of order', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const { random } = createSimSystem({ seed }).process('any');
      const records = 1 + Math.floor(random.float() * 40);
      const bad = new Set<number>();
      for (let at = 0; at < records; at += 1) if (random.float() < 0.1) bad.add(at);
      const from = Math.floor(random.float() * 20);
      const until = from + Math.floor(random.float() * 20);
      const refusedWell = new Set<number>();
      const found = narrow(records, ({ start, end }, request) => {
        const isBad = [...bad].some((at) => at >= start && at <= end);
        if (isBad && start === end) refusedWell.add(start);
        return !isBad && (request < from || request >= until);
      });
      const all = [...found.accepted, ...found.dead, ...found.left].toSorted((a, b) => a - b);
      expect(all, `seed ${seed}`).toEqual(Array.from({ length: records }, (_, i) => i));
      const innocent = found.dead.filter((at) => !bad.has(at));
      expect(innocent, `seed ${seed}`).toEqual([]);
    }
  });
});
