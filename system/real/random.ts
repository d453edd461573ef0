import { randomBytes } from 'node:crypto';
import type { Random } from '../random.js';

/** The machine's randomness. */
export function createRandom(): Random {
  return { float: () => Math.random(), bytes: (length) => randomBytes(length) };
}
