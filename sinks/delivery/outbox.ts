import { dirname, join } from 'node:path';
import { z } from '../../config/index.js';
import type { Disk } from '../../system/index.js';
import { isChunkIntact, readChunkHeader } from '../spool-format.js';

/** Of the files, behind the stream's name. */
export const PARCEL_SUFFIX = '.parcel';

const range = z.object({ start: z.int().nonnegative(), end: z.int().nonnegative() });
/** The offsets of one request, both included. */
export type OffsetSpan = Readonly<z.output<typeof range>>;

const head = z.object({
  version: z.literal(1),
  format: z.string(),
  from: z.int().nonnegative(),
  ranges: z.array(range).min(1).readonly(),
  next: z.int().positive(),
});

/** Records that were cut for sending, and how: written down before they are sent. */
export interface Parcel {
  /** Of its bodies: one of the destination's. */
  readonly format: string;
  /** What is committed while it is under way. */
  readonly from: number;
  /** The requests that are left, in order: one, unless a refused one was divided. */
  readonly ranges: readonly OffsetSpan[];
  /** What is committed when all have arrived. */
  readonly next: number;
  /** The records, as in a spool's chunk. */
  readonly chunk: Buffer;
}

/**
 * The one parcel of a partition that is under way, in the data folder: after any crash it is sent
 * with the same boundaries, key and body.
 */
export class Outbox {
  readonly #disk: Disk;
  readonly #path: string;

  constructor(disk: Disk, directory: string, stream: string) {
    this.#disk = disk;
    this.#path = join(directory, `${stream}${PARCEL_SUFFIX}`);
  }

  /** Durable when it resolves. */
  async save({ chunk, ...parcel }: Parcel): Promise<void> {
    await this.#disk.makeDirectory(dirname(this.#path));
    const line = Buffer.from(`${JSON.stringify({ version: 1, ...parcel })}\n`);
    await this.#disk.replaceFile(this.#path, Buffer.concat([line, chunk]));
  }

  /** undefined where there is none, or a power cut has damaged it. */
  async load(): Promise<Parcel | undefined> {
    if ((await this.#disk.stat(this.#path)) === undefined) return undefined;
    const bytes = await this.#disk.readFile(this.#path);
    const lineEnd = bytes.indexOf('\n');
    const parsed = parseHead(bytes.toString('utf8', 0, Math.max(lineEnd, 0)));
    const chunk = bytes.subarray(lineEnd + 1);
    const header = readChunkHeader(chunk);
    if (parsed === undefined || header === undefined) return undefined;
    const { format, from, ranges, next } = parsed;
    return isChunkIntact(chunk, header) ? { format, from, ranges, next, chunk } : undefined;
  }

  async clear(): Promise<void> {
    await this.#disk.remove(this.#path);
  }
}

function parseHead(line: string): z.output<typeof head> | undefined {
  try {
    return head.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
