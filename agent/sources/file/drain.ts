import type { FileReader } from './file-reader.js';
import type { OpenFiles } from './open-files.js';

/** How far a drain reads: each file to its end when it began, unfinished lines included. */
export class Drain {
  /** How far each reader has to come; empty until the look that tells it. */
  #limits: Map<FileReader, number> | undefined;

  begin(): void {
    this.#limits ??= new Map();
  }

  get isUnderway(): boolean {
    return this.#limits !== undefined;
  }

  /** A look has to tell what there is to drain. */
  get wantsLook(): boolean {
    return this.#limits?.size === 0;
  }

  /** The look that it wants is done. */
  limitTo(readers: readonly FileReader[]): void {
    for (const reader of readers) this.#limits?.set(reader, reader.generation.size);
  }

  /** Whether it is read as far as a drain asks for; what cannot be read is told by `unsent`. */
  isReadUp(reader: FileReader): boolean {
    if (!reader.isUnread || reader.failure !== undefined) return true;
    if (reader.generation.state === 'undecided') return false;
    return reader.generation.place.position >= (this.#limits?.get(reader) ?? Infinity);
  }

  /** What it left, in words. */
  left(files: OpenFiles): string[] {
    const texts: string[] = [];
    for (const reader of files.inOrder) {
      const { state, path } = reader.generation;
      if (reader.failure !== undefined || !reader.isUnread) continue;
      if (state === 'undecided') texts.push(`${path} is still being written, or copied`);
      else if (!this.isReadUp(reader)) texts.push(`${path} is not read to its end`);
    }
    for (const [id, { acknowledgements }] of files.routes) {
      if (acknowledgements.isDone) continue;
      const path = files.state.generations.get(id)?.path;
      texts.push(`lines of ${path ?? 'a file that is gone'} are not acknowledged`);
    }
    return texts;
  }
}
