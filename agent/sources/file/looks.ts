import { reasonOf } from '../../refusal.js';
import type { SourceContext } from '../source.js';
import type { OpenFiles } from './open-files.js';

/** The directories are looked at this often without a hint, and at the soonest after one. */
const lookEveryMs = 1_000;
const lookSoonestMs = 50;
/** The share of the time that looking may take: after a look of 50 ms, a second passes. */
const lookShare = 1 / 20;
/** After a look that failed. */
const retryMs = 1_000;

/** When the directories are looked at. */
export class Looks {
  #nextMs = 0;
  #last = { endMs: 0, durationMs: 0 };
  readonly #problem: string;

  constructor(
    private readonly context: SourceContext,
    private readonly files: OpenFiles,
  ) {
    this.#problem = `looking at files of ${context.name}`;
  }

  /** When the next look is due (monotonic). */
  get nextMs(): number {
    return this.#nextMs;
  }

  /** Something has changed in the directories: looks earlier. */
  hint(): void {
    const { endMs, durationMs } = this.#last;
    const soonestMs = endMs + Math.max(lookSoonestMs, durationMs / lookShare);
    this.#nextMs = Math.min(this.#nextMs, soonestMs);
  }

  async look(): Promise<void> {
    const { clock } = this.context.system;
    const startMs = clock.monotonic();
    const { nextId, lookedMs } = this.files.state;
    await this.files.look();
    // After a kill a file is found under any name once it is stored. The save counts as looking,
    // so many new files cannot make it happen all the time.
    const hasNew = this.files.state.nextId !== nextId;
    // What comes from now on bears earlier times than the look that is stored.
    const isSetBack = (this.files.state.lookedMs ?? 0) < (lookedMs ?? 0);
    if (hasNew || isSetBack) await this.context.positions.saveOrSay();
    const endMs = clock.monotonic();
    this.#last = { endMs, durationMs: endMs - startMs };
    this.#nextMs = endMs + Math.max(lookEveryMs, (endMs - startMs) / lookShare);
  }

  /** False where it failed: whatever went wrong, the next look may do better. */
  async tryLook(): Promise<boolean> {
    const { clock, problems } = this.context.system;
    try {
      await this.look();
      problems.clear(this.#problem);
      return true;
    } catch (error) {
      const text = `cannot look at the files of source ${this.context.name}; trying again`;
      problems.raise(this.#problem, `${text}: ${reasonOf(error)}`);
      this.#nextMs = clock.monotonic() + retryMs;
      return false;
    }
  }
}
