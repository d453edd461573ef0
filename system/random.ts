/** Randomness; the simulated one is seeded and replays exactly. */
export interface Random {
  /** A float in [0, 1). */
  float(): number;
  /** `length` unpredictable bytes. */
  bytes(length: number): Buffer;
}
