import { describe, expect, it } from 'vitest';
import {
  formatAddress,
  formatDuration,
  formatSize,
  parseAddress,
  parseDuration,
  parseSize,
} from '../../config/index.js';
import { editDistance, nearest } from '../../config/options/nearest.js';

describe('units', () => {
  it('reads durations', () => {
    expect(['500ms', '10s', '1.5h', '7d', '5m', '0', ' 2 s '].map(parseDuration)).toEqual([
      500, 10_000, 5_400_000, 604_800_000, 300_000, 0, 2_000,
    ]);
    expect(['', '10', '-1s', '1 fortnight', 's', '1e3s'].map(parseDuration)).toEqual(
      Array(6).fill(undefined),
    );
  });

  it('reads sizes', () => {
    expect(['512', '64KiB', '1MB', '1GiB', '0'].map(parseSize)).toEqual([
      512,
      65_536,
      1_000_000,
      2 ** 30,
      0,
    ]);
    expect(['', '1 stone', '-1', '99999999TiB'].map(parseSize)).toEqual(Array(4).fill(undefined));
  });

  it('writes what it reads', () => {
    for (const text of ['500ms', '10s', '90m', '7d']) {
      expect(formatDuration(parseDuration(text) ?? -1)).toBe(text);
    }
    for (const text of ['512', '64KiB', '1000000', '1GiB']) {
      expect(formatSize(parseSize(text) ?? -1)).toBe(text);
    }
    for (const text of ['localhost:9092', '[::1]:0']) {
      const address = parseAddress(text);
      expect(address && formatAddress(address)).toBe(text);
    }
    expect(['x', 'x:', ':1', 'x:70000', '::1:9', 'http://x:1'].map(parseAddress)).toEqual(
      Array(6).fill(undefined),
    );
  });

  it('measures how far words are apart', () => {
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance('', 'abc')).toBe(3);
    expect(nearest('comit', ['commit', 'omit', 'limit'])).toBe('commit');
    expect(nearest('xyz', ['commit'])).toBeUndefined();
  });
});
