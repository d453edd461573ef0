import { describe, expect, it } from 'vitest';
import { LineComparison } from '../../cli/demo/compare.js';
import { fc } from '../fast-check.js';

function compare(written: readonly string[], archived: readonly string[]) {
  const comparison = new LineComparison(written);
  for (const line of archived) comparison.push(line);
  const { examples: _, ...counts } = comparison.end();
  return counts;
}

const clean = { equal: 0, repeats: 0, repeatRuns: 0, missing: 0, foreign: 0, outOfOrder: 0 };
const lines = Array.from({ length: 10_000 }, (_, i) => `line ${i}`);

describe('LineComparison', () => {
  it('finds equal lines equal', () => {
    expect(compare(lines, lines)).toEqual({ ...clean, equal: 10_000 });
    expect(compare([], [])).toEqual(clean);
  });

  it('counts a repeated run once', () => {
    const archived = [...lines.slice(0, 500), ...lines.slice(400, 500), ...lines.slice(500)];
    expect(compare(lines, archived)).toEqual({
      ...clean,
      equal: 10_000,
      repeats: 100,
      repeatRuns: 1,
    });
    const twice = [...lines.slice(0, 9), ...lines.slice(5, 8), ...lines.slice(5, 9)];
    expect(compare(lines.slice(0, 9), twice)).toMatchObject({ repeats: 7, repeatRuns: 2 });
  });

  it('sees what is missing, foreign or out of order', () => {
    const few = ['a', 'b', 'c', 'd'];
    expect(compare(few, ['a', 'c', 'd'])).toMatchObject({ missing: 1, equal: 3 });
    expect(compare(few, ['a', 'b', 'c'])).toMatchObject({ missing: 1, equal: 3 });
    expect(compare(few, ['a', 'X', 'c', 'd'])).toMatchObject({ missing: 1, foreign: 1 });
    expect(compare(few, ['a', 'b', 'c', 'd', 'X'])).toMatchObject({ missing: 0, foreign: 1 });
    expect(compare(few, ['a', 'c', 'b', 'd'])).toMatchObject({ outOfOrder: 1, missing: 0 });
    expect(compare([], ['a'])).toMatchObject({ foreign: 1 });
  });

  it('never calls a changed archive equal', () => {
    const change = fc.tuple(fc.constantFrom('drop', 'repeat', 'swap', 'flip'), fc.nat({ max: 48 }));
    fc.assert(
      fc.property(change, ([kind, at]) => {
        const written = lines.slice(0, 50);
        const archived = [...written];
        if (kind === 'drop') archived.splice(at, 1);
        if (kind === 'repeat') archived.splice(at + 1, 0, written[at] ?? '');
        if (kind === 'swap') archived.splice(at, 2, written[at + 1] ?? '', written[at] ?? '');
        if (kind === 'flip') archived[at] = `${written[at]}!`;
        const { repeats, missing, foreign, outOfOrder } = compare(written, archived);
        expect(repeats + missing + foreign + outOfOrder).toBeGreaterThan(0);
        expect(repeats).toBe(kind === 'repeat' ? 1 : 0);
      }),
    );
  });
});
