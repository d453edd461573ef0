import type { Clock } from '../../../system/index.js';
import type { Drain } from './drain.js';
import type { FileReader } from './file-reader.js';
import type { Handover } from './handover.js';
import type { Looks } from './looks.js';
import type { OpenFiles } from './open-files.js';

/** A file that could not be read is visited again after this time. */
const retryMs = 1_000;
/** An older file that cannot be read holds up the younger ones for so long. */
const failingElderMs = 30_000;

/** Which file is visited when, and what must be read before it. */
export class Visits {
  constructor(
    private readonly clock: Clock,
    private readonly files: OpenFiles,
    private readonly handover: Handover,
    private readonly looks: Looks,
    private readonly drain: Drain,
    private readonly stopping: AbortSignal,
  ) {}

  /** Visits each file that is due once; true where something was read. */
  async round(): Promise<boolean> {
    this.handover.unblock();
    const startMs = this.clock.monotonic();
    let progressed = await this.handover.sendRests();
    if (this.handover.isBlocked) return progressed;
    for (const reader of this.files.inOrder) {
      if (this.stopping.aborted) break;
      if (reader.isAtEnd && startMs < reader.dueMs && !this.drain.isUnderway) continue;
      // Closed or moved while its elders were visited.
      if (this.files.readers.get(reader.generation.id) !== reader) continue;
      if (await this.#visit(reader)) progressed = true;
      if (this.handover.isHeldUp) break;
    }
    return progressed;
  }

  /** When the next file is due, where that is before `limitMs`. */
  nextMs(limitMs: number): number {
    let next = limitMs;
    for (const { dueMs } of this.files.inOrder) if (dueMs < next) next = dueMs;
    return next;
  }

  async #visit(reader: FileReader): Promise<boolean> {
    const { failure } = reader;
    try {
      await this.files.poll(reader, this.clock.monotonic());
      // It was not written to, so it is its name that changed.
      if (reader.takeHint()) this.looks.hint();
      const isNext = !reader.isUnread || (await this.#areEldersRead(reader));
      if (!isNext) await this.#verify(reader);
      const progressed = isNext && (await this.handover.readOn(reader));
      if (!progressed) reader.schedule(this.clock.monotonic());
      // Of one that is damaged nothing was read just now.
      const isUntried = failure?.isDamaged && reader.isAtEnd;
      if (reader.failure === failure && !isUntried) this.files.readAgain(reader);
      return progressed;
    } catch (error) {
      this.files.fail(reader, error);
      reader.dueAt(this.clock.monotonic() + retryMs);
      return false;
    }
  }

  /** One that waits for its elders may be cut meanwhile, and its copy will be held only so long. */
  async #verify(reader: FileReader): Promise<void> {
    const { id, state, compressed } = reader.generation;
    if (!reader.isUnverified || state !== 'reading' || compressed) return;
    if (!(await reader.verify())) await this.files.tell({ type: 'replaced', id });
  }

  /**
   * What was written before is sent before: whether the older generations of its origin are read
   * up to this moment, unfinished lines included.
   */
  async #areEldersRead(reader: FileReader): Promise<boolean> {
    for (const elder of this.files.eldersOf(reader)) {
      if (this.files.readers.get(elder.generation.id) !== elder || this.#isGivenUp(elder)) continue;
      try {
        await this.files.poll(elder, this.clock.monotonic());
      } catch (error) {
        this.files.fail(elder, error);
        return false;
      }
      if (!elder.isUnread) continue;
      if (!elder.isAtEnd) elder.dueAt(0);
      return false;
    }
    return true;
  }

  /** Damaged content stays damaged, and a broken disk broken: nobody waits for them for ever. */
  #isGivenUp({ failure }: FileReader): boolean {
    if (failure === undefined) return false;
    return failure.isDamaged || this.clock.monotonic() - failure.sinceMs > failingElderMs;
  }
}
