import { replayedSeed, rounds, seed } from '../rounds.js';

/** Chance that a seed repeats (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  float(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** 0 … limit - 1. */
  upTo(limit: number): number {
    return Math.floor(this.float() * limit);
  }

  oneIn(count: number): boolean {
    return this.upTo(count) === 0;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.upTo(values.length)] as T;
  }
}

/**
 * Seeds for random programs: new ones each time, for `rounds` times so long, or the one that is
 * replayed.
 */
export function* seedsOf(durationMs: number): Generator<number, void, undefined> {
  const end = replayedSeed === undefined ? performance.now() + durationMs * rounds : 0;
  for (let nth = 0; nth === 0 || performance.now() < end; nth++) yield seed + nth;
}
