import { describe, expect, it } from 'vitest';
import { enumerate, scenarios } from './scenarios.js';

describe('every line arrives, in order, and only what was in flight twice, through', () => {
  it.each(Object.keys(scenarios))('%s', async (name) => {
    expect(await enumerate(name)).toBeGreaterThan(0);
  });
});
