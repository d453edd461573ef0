import { describe, expect, it } from 'vitest';
import { StatusLine } from '../../cli/figures.js';

const agent = (acknowledged: number, lagBytes: number) => ({
  sources: { app: { acknowledged, lagBytes }, post: { acknowledged: 1, lagBytes: 0 } },
});
const sinks = (records: number, lag: number) => ({ archive: { records, lag } });

describe('StatusLine', () => {
  it('says what came in, what is archived and what lies between', () => {
    const line = new StatusLine();
    const written = { lines: 1200, mails: 1 };
    expect(line.of({ written, agent: agent(1000, 20), sinks: sinks(900, 101) })).toBe(
      'written 1,200 lines, 1 mails · in 1,001 · unread 20 bytes · archived 900 · lag 101 records',
    );
  });

  it('counts on where a role was started again', () => {
    const line = new StatusLine();
    line.of({ written: undefined, agent: agent(1000, 0), sinks: sinks(900, 0) });
    expect(line.of({ written: undefined, agent: agent(5, 0), sinks: sinks(950, -1) })).toBe(
      'in 1,007 · unread 0 bytes · archived 950 · lag 0 records',
    );
  });

  it('needs nothing', () => {
    const nothing = { written: undefined, agent: undefined, sinks: undefined };
    expect(new StatusLine().of(nothing)).toBe('running');
    expect(new StatusLine().of({ ...nothing, agent: {}, sinks: {} })).toContain('in 0');
  });
});
