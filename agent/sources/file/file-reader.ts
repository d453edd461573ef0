import type { DiskFile } from '../../../system/index.js';
import { type Content, GzipContent, PlainContent } from './content.js';
import { endOf } from './content-end.js';
import type { Findings } from './examine.js';
import type { Generation, Place } from './generation.js';
import type { LineSender, Route } from './line-sender.js';
import { agrees, type Mark, markBytes, markOf } from './mark.js';
import { UnfinishedLine } from './unfinished-line.js';

/** Reads of this size keep what is read within the processor's caches. */
const windowBytes = 256 * 1024;
/** What is asked for beyond the known end, so that a growing file needs no second read. */
const surplusBytes = 4 * 1024;
/** How often a file is looked at. */
const fastestPollMs = 20;
const slowestPollMs = 1_000;
const beatMs = 20;

/** Of an unfinished line that is as long, only what is new is read until it is to be sent. */
const longLineBytes = 64 * 1024;

/** Memory that the readers of a source share: only one of them reads at a time. */
export class ReadBuffer {
  #memory = Buffer.allocUnsafe(windowBytes + markBytes);

  /** At least `bytes` long. */
  of(bytes: number): Buffer {
    if (this.#memory.length < bytes) this.#memory = Buffer.allocUnsafe(bytes);
    return this.#memory;
  }
}

/** How a read went. */
export interface ReadResult {
  /** Where the generation stands now. */
  readonly place: Place;
  readonly fingerprint: Mark;
  /** The file does not hold what was read before; nothing was read. */
  readonly isReplaced: boolean;
}

/** Content as it was read. */
interface Window {
  readonly content: Buffer;
  /** The first byte of it that was not sent. */
  readonly start: number;
  /** The position of its first byte. */
  readonly origin: number;
  /** More may follow. */
  readonly isFull: boolean;
}

/** One open file. */
export class FileReader {
  content: Content;
  /** All but an unfinished last line was read, as far as is known. */
  isAtEnd = false;
  /** Since when the unfinished last line has not grown (monotonic). */
  restSinceMs = 0;
  /** When to look at it again, and when something last changed (monotonic). */
  dueMs = 0;
  #changedMs = 0;
  /** Something is said to have happened to it. */
  #isHinted = false;
  /** It has changed, and nothing was read since. */
  isUnverified = false;
  /** Since when it cannot be read (monotonic), and whether its content is damaged. */
  failure: { readonly sinceMs: number; readonly isDamaged: boolean } | undefined;
  /** What the last examination found, and of what. */
  #examined: { readonly stamp: string; readonly findings: Findings } | undefined;
  /** Bytes in one read; grows while a line is longer. */
  #window = windowBytes;
  readonly #unfinished = new UnfinishedLine();

  constructor(
    public file: DiskFile,
    public generation: Generation,
    private readonly buffer: ReadBuffer,
    private readonly maxLineBytes: number,
  ) {
    this.content = generation.compressed ? new GzipContent(file) : new PlainContent(file);
  }

  /** The unfinished last line. */
  get rest(): Buffer {
    return this.#unfinished.bytes;
  }

  /** Something is said to have happened to it. */
  hint(): void {
    this.#isHinted = true;
    this.dueMs = 0;
  }

  /** Whether something was said to have happened, and has not shown in the file. */
  takeHint(): boolean {
    const isHinted = this.#isHinted;
    this.#isHinted = false;
    return isHinted;
  }

  /** It cannot be read. What is damaged is read again when the file has changed. */
  fail(nowMs: number, isDamaged: boolean): void {
    this.failure = { sinceMs: this.failure?.sinceMs ?? nowMs, isDamaged };
    if (isDamaged) this.isAtEnd = true;
  }

  /** It was read without an error; false where it always was. */
  recover(): boolean {
    const hadFailed = this.failure !== undefined;
    this.failure = undefined;
    return hadFailed;
  }

  /** What an examination found, where it would find the same now: `stamp` tells. */
  findings(stamp: string): Findings | undefined {
    return this.#examined?.stamp === stamp ? this.#examined.findings : undefined;
  }

  /** To unpack compressed content once more would tell the same. */
  keepFindings(stamp: string, findings: Findings): void {
    if (this.generation.compressed) this.#examined = { stamp, findings };
  }

  /** From now on the file is another generation's. */
  moveTo(generation: Generation): void {
    this.generation = generation;
    this.restart();
  }

  /** The next read starts afresh from the generation's place. */
  restart(): void {
    this.isAtEnd = false;
    this.#unfinished.clear();
    this.dueMs = 0;
    const { file } = this;
    this.content = this.generation.compressed ? new GzipContent(file) : new PlainContent(file);
  }

  /** Whether bytes may be left that have not been handed to the producer. */
  get isUnread(): boolean {
    const { state, size, isCopy } = this.generation;
    if (state === 'undecided') return size > 0 && !isCopy;
    return !this.isAtEnd || this.rest.length > 0;
  }

  /** The file has changed since it was last looked at. */
  noteChange(nowMs: number): void {
    this.#isHinted = false;
    this.isUnverified = true;
    this.isAtEnd = false;
    this.#changedMs = nowMs;
    this.restSinceMs = nowMs;
    if (this.generation.compressed) this.content = new GzipContent(this.file);
  }

  /** When to look again: soon while it changes, ever more rarely while it does not. */
  schedule(nowMs: number): void {
    const idleMs = nowMs - this.#changedMs;
    const delayMs = Math.min(slowestPollMs, Math.max(fastestPollMs, idleMs / 8));
    // In common beats: thousands of files that are due one by one would never let the loop sleep.
    this.dueMs = Math.ceil((nowMs + delayMs) / beatMs) * beatMs;
  }

  /** It is looked at then, whatever it has been doing. */
  dueAt(atMs: number): void {
    this.dueMs = atMs;
  }

  /** The first bytes of the content, to compare a copy with. */
  async firstBytes(length: number): Promise<Buffer> {
    const { file } = this;
    // What is read of compressed content stays where it is.
    const content = this.generation.compressed ? new GzipContent(file) : new PlainContent(file);
    const target = Buffer.allocUnsafe(length);
    return target.subarray(0, await content.read(target, 0, length, 0));
  }

  /**
   * Reads on and sends the lines. Each read begins with the bytes that the last one ended with:
   * if they are others now, the file was cut and filled again since, however long it is.
   */
  async read(
    sender: LineSender,
    route: Route,
    timestamp: number,
    takesRest: boolean,
    isCurrent: () => boolean,
  ): Promise<ReadResult | undefined> {
    const { place, fingerprint } = this.generation;
    const window = await this.#readWindow(sender, takesRest);
    if (!isCurrent()) return undefined;
    this.isUnverified = false;
    if (window === undefined) return { place, fingerprint, isReplaced: true };
    const { content, start, origin, isFull } = window;
    const takes = takesRest && !isFull && this.#isAsSeen(origin + content.length);
    const delivery = route.acknowledgements.open();
    const end = sender.send(route, delivery, content, start, timestamp, takes, origin);
    const next = end === start ? place : placeIn(content, end, origin);
    route.acknowledgements.close(delivery, next);
    const isHeldUp = sender.isBlocked || sender.error !== undefined;
    if (isFull && end === start && !sender.isBlocked) this.#window = this.#maxWindow;
    else if (end > start) this.#window = windowBytes;
    this.isAtEnd = !isFull && !isHeldUp;
    this.#keepRest(window, end, isHeldUp);
    return {
      place: next,
      fingerprint:
        fingerprint.bytes < markBytes
          ? markOf(content, 0, Math.min(content.length, markBytes))
          : fingerprint,
      isReplaced: false,
    };
  }

  /** It is needed when the file is cut before its line is finished; the buffer is used again. */
  #keepRest({ content, start, isFull }: Window, end: number, isHeldUp: boolean): void {
    if (content === this.rest && end === start && !isHeldUp) return;
    if (isFull || isHeldUp) this.#unfinished.clear();
    else this.#unfinished.set(content.subarray(end));
  }

  /** What comes next in the file; undefined where it does not hold what was seen of it. */
  #readWindow(sender: LineSender, takesRest: boolean): Promise<Window | undefined> {
    const isLong = !this.generation.compressed && this.rest.length >= longLineBytes;
    if (!isLong) return this.#readAll();
    return takesRest ? this.#readLine() : this.#readNew(sender);
  }

  async #readAll(): Promise<Window | undefined> {
    const { position, tail } = this.generation.place;
    const length = tail.bytes + this.#wantedBytes(position);
    const target = this.buffer.of(length);
    const origin = position - tail.bytes;
    const bytes = await this.content.read(target, 0, length, origin);
    const content = target.subarray(0, bytes);
    if (!holdsWhatWasSeen(this.generation, content)) return undefined;
    const start = tail.bytes;
    return { content, start, origin, isFull: bytes === length };
  }

  /** A long line as it is now, whatever of it was read before: so it is sent. */
  #readLine(): Promise<Window | undefined> {
    this.#window = this.#maxWindow;
    return this.#readAll();
  }

  /** Of a long line that does nothing but grow: what comes behind what is known of it. */
  async #readNew(sender: LineSender): Promise<Window | undefined> {
    if (!(await this.verify())) return undefined;
    const { rest } = this;
    const { position } = this.generation.place;
    const end = position + rest.length;
    const length = markBytes + this.#wantedBytes(end);
    const target = this.buffer.of(length);
    const bytes = await this.content.read(target, 0, length, end - markBytes);
    // Else it has become another line, or has changed in its middle.
    const hasGrown =
      bytes > markBytes && rest.compare(target, 0, markBytes, rest.length - markBytes) === 0;
    if (!hasGrown) return this.#readLine();
    this.#unfinished.append(target.subarray(markBytes, bytes));
    if (sender.hasLine(this.rest, rest.length)) return this.#readLine();
    return { content: this.rest, start: 0, origin: position, isFull: bytes === length };
  }

  /** Whether a file that ends there has not grown since it was asked for its size. */
  #isAsSeen(end: number): boolean {
    return this.generation.compressed || end === this.generation.size;
  }

  /** Whether the file still holds what was seen of it: for one that has to wait for its turn. */
  async verify(): Promise<boolean> {
    const { place, fingerprint } = this.generation;
    const { position, tail } = place;
    const length = position > tail.bytes ? tail.bytes : Math.max(tail.bytes, fingerprint.bytes);
    const target = this.buffer.of(length);
    const bytes = await this.content.read(target, 0, length, position - tail.bytes);
    this.isUnverified = false;
    return holdsWhatWasSeen(this.generation, target.subarray(0, bytes));
  }

  /** Where a source begins: the first bytes, so that the file is known from now on. */
  async findStart(): Promise<{ place: Place; fingerprint: Mark }> {
    const head = Buffer.allocUnsafe(markBytes);
    const bytes = await this.content.read(head, 0, markBytes, 0);
    return { place: this.generation.place, fingerprint: markOf(head, 0, bytes) };
  }

  /** Where a source begins that reads only what comes from now on. */
  async findEnd(): Promise<{ place: Place; fingerprint: Mark }> {
    const { fingerprint } = await this.findStart();
    if (this.generation.compressed) return { place: await endOf(this.content), fingerprint };
    const { size } = this.file.statSync();
    const tail = Buffer.allocUnsafe(Math.min(size, markBytes));
    const tailBytes = await this.content.read(tail, 0, tail.length, size - tail.length);
    return { place: { position: size, tail: markOf(tail, 0, tailBytes) }, fingerprint };
  }

  /** From now on it is read through another descriptor. */
  reopen(file: DiskFile): void {
    this.file.closeSync();
    this.file = file;
    this.restart();
  }

  get #maxWindow(): number {
    return this.maxLineBytes + markBytes;
  }

  #wantedBytes(position: number): number {
    if (this.generation.compressed) return this.#window;
    const known = Math.max(0, this.generation.size - position) + surplusBytes;
    return Math.min(this.#window, known);
  }
}

function placeIn(content: Buffer, end: number, contentStart: number): Place {
  return {
    position: contentStart + end,
    tail: markOf(content, Math.max(0, end - markBytes), end),
  };
}

/** `content` begins where the generation's tail does. */
function holdsWhatWasSeen({ place, fingerprint }: Generation, content: Buffer): boolean {
  const { position, tail } = place;
  // What lies within the first KiB may have been seen without being sent.
  if (position <= tail.bytes && !agrees(fingerprint, content, 0)) return false;
  return agrees(tail, content, 0);
}
