import { join } from 'node:path';
import { z } from '../config/index.js';
import { detach, type System, type Timer } from '../system/index.js';

const fileName = 'positions.json';
const version = 1;
const problemId = 'positions';
/** While positions move they are written this often at most. */
const saveEveryMs = 1_000;

const storedPositions = z.strictObject({
  version: z.literal(version),
  sources: z.record(z.string(), z.unknown()),
});

/** The positions cannot be read or are not of this version; the message says what to do. */
export class PositionsError extends Error {
  override readonly name = 'PositionsError';
  readonly code = 'POSITIONS_UNUSABLE';
}

/** One source's share of the positions. */
export interface SourcePositions {
  /** What was stored before the start; undefined where this source is new. */
  restore<Schema extends z.ZodType>(schema: Schema): z.output<Schema> | undefined;
  /** `snapshot` gives what to store, whenever positions are written. */
  keep(snapshot: () => unknown): void;
  /** Something moved: writes at once after a quiet time, else within a second. */
  changed(): void;
  /** Writes now; resolves when it survives a power cut. */
  save(): Promise<void>;
  /** As `save`; where that fails it is a problem, and is tried again. Never rejects. */
  saveOrSay(): Promise<void>;
}

/**
 * How far each source has come, in one file: docs/formats/positions.md. It is replaced as a whole
 * (written beside, synced, renamed), so that any crash leaves the old or the new one.
 */
export class Positions {
  readonly #path: string;
  readonly #restored: Readonly<Record<string, unknown>>;
  readonly #snapshots = new Map<string, () => unknown>();
  #isDirty = false;
  #isClosed = false;
  #timer: Timer | undefined;
  /** When they were last written, milliseconds of the monotonic clock. */
  #writtenMs = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> | undefined;

  private constructor(
    private readonly system: System,
    path: string,
    restored: Readonly<Record<string, unknown>>,
  ) {
    this.#path = path;
    this.#restored = restored;
  }

  /** Reads the positions kept in `directory`. Throws PositionsError. */
  static async open(system: System, directory: string): Promise<Positions> {
    const path = join(directory, fileName);
    let content: Buffer;
    try {
      content = await system.disk.readFile(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        return new Positions(system, path, {});
      }
      throw new PositionsError(`cannot read ${path}: make it readable for this user`, {
        cause: error,
      });
    }
    return new Positions(system, path, parse(path, content));
  }

  /** The share of the source with this name. */
  of(source: string): SourcePositions {
    return {
      restore: (schema) => this.#restore(source, schema),
      keep: (snapshot) => {
        this.#snapshots.set(source, snapshot);
      },
      changed: () => this.#changed(),
      save: () => this.save(),
      saveOrSay: () => this.#saveOrSay(),
    };
  }

  /** Writes what the sources hold now. A save under way is waited for and followed by another. */
  async save(): Promise<void> {
    this.#isDirty = true;
    while (this.#writing) await this.#writing.catch(() => {});
    if (!this.#isDirty) return;
    this.#isDirty = false;
    this.#writing = this.system.disk.replaceFile(this.#path, this.#render());
    try {
      await this.#writing;
      this.system.problems.clear(problemId);
    } catch (error) {
      this.#isDirty = true;
      throw error;
    } finally {
      this.#writtenMs = this.system.clock.monotonic();
      this.#writing = undefined;
    }
  }

  /** Writes a last time. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    if (this.#isDirty) await this.save();
  }

  #restore<Schema extends z.ZodType>(source: string, schema: Schema): z.output<Schema> | undefined {
    const stored = this.#restored[source];
    if (stored === undefined) return undefined;
    const parsed = schema.safeParse(stored);
    if (parsed.success) return parsed.data;
    throw damaged(this.#path, `source ${source}: ${z.prettifyError(parsed.error)}`, parsed.error);
  }

  #changed(): void {
    this.#isDirty = true;
    if (this.#isClosed) return;
    if (this.#timer) return;
    const { clock } = this.system;
    // The first one at once: an agent that dies again soon would repeat all since its last start.
    const waitMs = Math.max(0, this.#writtenMs + saveEveryMs - clock.monotonic());
    this.#timer = clock.after(waitMs, () => {
      const { log } = this.system;
      detach(this.#saveInTime(), (error) => log.error('positions are not written', { error }));
    });
  }

  async #saveOrSay(): Promise<void> {
    try {
      await this.save();
    } catch (error) {
      const text = `cannot write ${this.#path}: a crash now would repeat lines; trying again`;
      this.system.problems.raise(problemId, text, { error });
      this.#changed();
    }
  }

  async #saveInTime(): Promise<void> {
    if (this.#isDirty) await this.#saveOrSay();
    this.#timer = undefined;
    if (this.#isDirty) this.#changed();
  }

  /** Sources that the YAML no longer names keep their positions: they may come back. */
  #render(): string {
    const sources: Record<string, unknown> = { ...this.#restored };
    for (const [name, snapshot] of this.#snapshots) sources[name] = snapshot();
    return `${JSON.stringify({ version, sources })}\n`;
  }
}

function parse(path: string, content: Buffer): Readonly<Record<string, unknown>> {
  let json: unknown;
  try {
    json = JSON.parse(content.toString());
  } catch (error) {
    throw damaged(path, 'it is no JSON', error);
  }
  const found = z.object({ version: z.number() }).safeParse(json);
  if (found.success && found.data.version > version) {
    throw new PositionsError(
      `${path} is of version ${found.data.version}, written by a later logflume: run that one`,
    );
  }
  const parsed = storedPositions.safeParse(json);
  if (!parsed.success) throw damaged(path, z.prettifyError(parsed.error), parsed.error);
  return parsed.data.sources;
}

function damaged(path: string, reason: string, cause: unknown): PositionsError {
  return new PositionsError(
    `${path} is damaged (${reason}): put back a copy of it, or remove it to read all files ` +
      'again from the beginning, which repeats lines',
    { cause },
  );
}
