import { lastNotAbove } from './entry-file.js';
import type { Segment } from './segment.js';

/** Sealed segments whose file and index stay open for readers. */
const WARM_SEGMENTS = 4;

/** The segments of a log in the order of their offsets; there is always one, the last is active. */
export class Segments {
  readonly #list: Segment[];
  /** Least recently used first. */
  readonly #warm: Segment[] = [];

  constructor(list: readonly [Segment, ...Segment[]]) {
    this.#list = [...list];
  }

  get list(): readonly Segment[] {
    return this.#list;
  }

  /** The one that is appended to. */
  get active(): Segment {
    return this.#list[this.#list.length - 1] as Segment;
  }

  get first(): Segment {
    return this.#list[0] as Segment;
  }

  get sizeBytes(): number {
    return this.#list.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  }

  /** The segment that holds `offset` if any does: the last one that begins at or before it. */
  holding(offset: number): Segment {
    const index = lastNotAbove(
      this.#list.length,
      (entry) => (this.#list[entry] as Segment).baseOffset > offset,
    );
    return this.#list[Math.max(0, index)] as Segment;
  }

  /** The segment that follows, also where `segment` itself has been removed. */
  after(segment: Segment): Segment | undefined {
    return this.#list.find(({ baseOffset }) => baseOffset > segment.baseOffset);
  }

  push(segment: Segment): void {
    this.#list.push(segment);
  }

  /** Takes `segment` out; it must not be the only one. */
  remove(segment: Segment): void {
    const index = this.#list.indexOf(segment);
    if (index >= 0) this.#list.splice(index, 1);
    const warm = this.#warm.indexOf(segment);
    if (warm >= 0) this.#warm.splice(warm, 1);
  }

  /** A reader uses this sealed segment; those unused for longest give back file and memory. */
  touch(segment: Segment): void {
    if (segment === this.active) return;
    const index = this.#warm.indexOf(segment);
    if (index >= 0) this.#warm.splice(index, 1);
    this.#warm.push(segment);
    if (this.#warm.length > WARM_SEGMENTS) this.#warm.shift()?.cool();
  }

  /**
   * Somebody is done with this segment: one that is not kept warm (any more) was opened by that
   * use alone, and gives its descriptor back.
   */
  leave(segment: Segment): void {
    if (segment !== this.active && !this.#warm.includes(segment)) segment.cool();
  }
}
