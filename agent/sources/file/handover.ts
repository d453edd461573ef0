import type { SourceContext } from '../source.js';
import type { Drain } from './drain.js';
import type { FileCounts } from './file-counts.js';
import type { FileReader } from './file-reader.js';
import type { Generation } from './generation.js';
import { LineSender } from './line-sender.js';
import type { OpenFiles } from './open-files.js';
import type { FileOptions } from './options.js';
import type { Outcomes } from './outcomes.js';

/** Reads of one file before it is the next one's turn. */
const readsPerTurn = 8;
/** A `.gz` that ends in mid-stream is waited for so long before its end is taken as it is. */
const unfinishedGzipMs = 600_000;

/** An unfinished line of a file that is gone. */
interface Rest {
  readonly generation: Generation;
  bytes: Buffer;
}

/** Reads a file's lines and hands them to the producer. */
export class Handover {
  readonly #sender: LineSender;
  /** Whose lines are being sent. */
  #reading: Generation | undefined;
  /** They wait for the producer's memory. */
  readonly #rests: Rest[] = [];
  /** By origin: the order of the youngest generation of which lines were sent. */
  readonly #youngest = new Map<string, number>();

  constructor(
    private readonly context: SourceContext,
    private readonly options: FileOptions,
    private readonly files: OpenFiles,
    private readonly outcomes: Outcomes,
    private readonly drain: Drain,
    private readonly counts: FileCounts,
    private readonly stopping: AbortSignal,
  ) {
    const { producer, chain } = context;
    const delimiter = Buffer.from(options.delimiter);
    const lineOptions = { delimiter, maxLineBytes: options.max_line_bytes };
    this.#sender = new LineSender(producer, chain, lineOptions, (record, error, start, end) =>
      outcomes.setAside(this.#reading, record, error, start, end),
    );
  }

  /** The producer is full. */
  get isBlocked(): boolean {
    return this.#sender.isBlocked;
  }

  /** Nothing more can be handed over now. */
  get isHeldUp(): boolean {
    const { isBlocked, error } = this.#sender;
    return isBlocked || error !== undefined || this.outcomes.isSettingAside;
  }

  /** Something was not taken, or is not acknowledged yet. */
  get isWaiting(): boolean {
    if (this.#sender.isBlocked || this.#sender.error) return true;
    for (const { acknowledgements } of this.files.routes.values()) {
      if (!acknowledgements.isDone) return true;
    }
    return false;
  }

  /** Files of which an unfinished last line waits to be sent. */
  get unfinished(): readonly Generation[] {
    return this.#rests.map(({ generation }) => generation);
  }

  /** The generation has no file any more, and this line of it will never be finished. */
  keepRest(generation: Generation, bytes: Buffer): void {
    this.#rests.push({ generation, bytes });
  }

  /** A file that is read up sends nothing, so it would not clear what an earlier round left. */
  unblock(): void {
    this.#sender.unblock();
  }

  /** True where something of the rests was sent; blocked while they wait. */
  async sendRests(): Promise<boolean> {
    let progressed = false;
    for (;;) {
      const [first] = this.#rests;
      if (!first) return progressed;
      const sent = await this.#sendRest(first);
      if (sent > 0) progressed = true;
      if (first.bytes.length > 0) return progressed;
      this.#rests.shift();
    }
  }

  /** Returns how many bytes were sent; the rest of them stay. */
  async #sendRest(rest: Rest): Promise<number> {
    const { generation, bytes } = rest;
    const { id, place } = generation;
    const route = this.files.routes.get(id);
    if (!route) {
      rest.bytes = bytes.subarray(bytes.length);
      return 0;
    }
    const now = this.context.system.clock.now();
    this.#reading = generation;
    const delivery = route.acknowledgements.open();
    const end = this.#sender.send(route, delivery, bytes, 0, now, true, place.position);
    rest.bytes = bytes.subarray(end);
    const next = { position: place.position + end, tail: place.tail };
    const told = this.files.tell({ type: 'restSent', id, place: next });
    route.acknowledgements.close(delivery, next);
    this.#noteSent(generation);
    await told;
    return end;
  }

  /** True where something was taken from the file. */
  async readOn(reader: FileReader): Promise<boolean> {
    const { generation } = reader;
    for (let reads = 0; reads < readsPerTurn; reads++) {
      const takesRest = this.#takesRest(reader);
      const isOurs = this.files.readers.get(generation.id) === reader;
      if (!isOurs || generation.state !== 'reading') return reads > 0;
      if (reader.isAtEnd && !(takesRest && reader.rest.length > 0)) return reads > 0;
      const moved = await this.#read(reader, takesRest);
      if (this.isHeldUp || this.outcomes.mustRewind(generation)) return moved || reads > 0;
      if (!moved && reader.isAtEnd) return reads > 0;
    }
    return true;
  }

  #takesRest(reader: FileReader): boolean {
    if (this.drain.isUnderway) return true;
    const isWritten = !reader.generation.compressed || reader.content.isWhole;
    const quietMs = this.context.system.clock.monotonic() - reader.restSinceMs;
    return quietMs >= Math.max(this.options.partial_after, isWritten ? 0 : unfinishedGzipMs);
  }

  async #read(reader: FileReader, takesRest: boolean): Promise<boolean> {
    const { generation } = reader;
    const route = this.files.routes.get(generation.id);
    if (!route) return false;
    const now = this.context.system.clock.now();
    const isCurrent = () => !this.outcomes.mustRewind(generation) && !this.stopping.aborted;
    this.#reading = generation;
    const result = await reader.read(this.#sender, route, now, takesRest, isCurrent);
    if (!result) return false;
    const { id } = generation;
    if (result.isReplaced) {
      await this.files.tell({ type: 'replaced', id });
      return true;
    }
    const { place, fingerprint } = result;
    const moved = place !== generation.place;
    if (moved || fingerprint !== generation.fingerprint) {
      await this.files.tell({ type: 'advanced', id, place, fingerprint });
    }
    this.#noteSent(generation);
    if (this.#sender.error) this.outcomes.pause();
    return moved;
  }

  /** Counts what was handed to the producer since the last call. */
  #noteSent({ order, origin }: Generation): void {
    const { records, bytes, partials } = this.#sender.take();
    if (records === 0) return;
    this.counts.sent(records, bytes);
    this.counts.partial(partials);
    const youngest = this.#youngest.get(origin) ?? order;
    if (youngest > order) this.counts.late(records);
    this.#youngest.set(origin, Math.max(order, youngest));
  }
}
