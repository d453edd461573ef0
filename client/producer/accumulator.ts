import type { BatchWriter } from '../../protocol/records/index.js';
import type { Callbacks } from '../events.js';
import { anonymous, type Batch, createBatch } from './batch.js';
import { ProducerError } from './errors.js';
import { createLine, type Line, type LineSettings, plannedSequence } from './line.js';
import type { ProducerMemory } from './memory.js';
import type { ProducerSettings } from './options.js';
import { Ticket } from './ticket.js';

/** What the accumulators of one producer share. */
export interface AccumulatorContext {
  readonly settings: ProducerSettings;
  readonly lineSettings: LineSettings;
  readonly memory: ProducerMemory;
  readonly callbacks: Callbacks;
  /** Monotonic milliseconds. */
  now(): number;
  /** The first record of a new batch has come. */
  onOpened(accumulator: Accumulator): void;
  /** A batch is full and waits to be sent. */
  onFull(accumulator: Accumulator): void;
  /** The line must be told of a finished batch. */
  enqueue(accumulator: Accumulator, batch: Batch): void;
}

/** A record's fields around key, value and headers: lengths, deltas, attributes, at most. */
const MAX_RECORD_OVERHEAD_BYTES = 40;
const BATCH_OVERHEAD_BYTES = 61;

/** Collects the records of one partition into batches, and keeps the line of those that wait. */
export class Accumulator {
  readonly line: Line<Batch>;
  /** Monotonic time of the open batch's first record. */
  openedMs = 0;
  private writer: BatchWriter | undefined;
  private ticket: Ticket | undefined;

  constructor(
    readonly topic: string,
    readonly partition: number,
    private readonly context: AccumulatorContext,
  ) {
    this.line = createLine(context.lineSettings);
  }

  /** A batch is being filled. */
  get isOpen(): boolean {
    return this.writer !== undefined;
  }

  /** Records in the batch that is being filled. */
  get openCount(): number {
    return this.writer?.recordCount ?? 0;
  }

  /** The ticket of the batch that is being filled. */
  get openTicket(): Ticket | undefined {
    return this.ticket;
  }

  /** Appends to the open batch; undefined where none is open or the record does not fit. */
  tryAppend(
    timestamp: number,
    key: Buffer | null,
    keyStart: number,
    keyEnd: number,
    value: Buffer | null,
    valueStart: number,
    valueEnd: number,
    headers: Buffer | null,
  ): Ticket | undefined {
    if (this.writer === undefined) return undefined;
    const { writer } = this;
    const hasRoom = writer.tryAppend(
      timestamp,
      key,
      keyStart,
      keyEnd,
      value,
      valueStart,
      valueEnd,
      headers,
    );
    return hasRoom ? this.ticket : undefined;
  }

  /** The open batch is full: finishes it. */
  finish(): void {
    this.close();
    this.context.onFull(this);
  }

  /** Opens a batch with room for a record; false: memory is full. None may be open. */
  open(recordBytes: number): boolean {
    const { settings, memory } = this.context;
    const needed = recordBytes + MAX_RECORD_OVERHEAD_BYTES + BATCH_OVERHEAD_BYTES;
    if (needed > settings.maxRequestBytes) {
      throw new ProducerError(
        'TOO_LARGE',
        `a record of ${recordBytes} bytes exceeds maxRequestBytes, ${settings.maxRequestBytes}`,
      );
    }
    const writer = memory.openWriter(needed);
    if (writer === undefined) return false;
    this.writer = writer;
    this.ticket = new Ticket(this.topic, this.partition, this.context.callbacks, writer);
    this.openedMs = this.context.now();
    this.context.onOpened(this);
    return true;
  }

  /** Finishes the open batch, if there is one, and puts it into the line. */
  close(): void {
    const { writer, ticket, line } = this;
    if (writer === undefined || ticket === undefined) return;
    const { settings, memory } = this.context;
    this.writer = undefined;
    this.ticket = undefined;
    const { recordCount } = writer;
    ticket.close(recordCount);
    const identity = line.identity ?? anonymous;
    const sequence = line.identity === undefined ? -1 : plannedSequence(line);
    let bytes: Buffer;
    try {
      bytes = writer.close({
        codec: settings.compression,
        ...(settings.compressionLevel !== undefined && { level: settings.compressionLevel }),
        ...identity,
        baseSequence: sequence,
      });
    } catch (cause) {
      // What a codec refuses stays refused; the batch must not be waited for.
      memory.closeWriter(writer, 0, false);
      memory.wake();
      ticket.settle(0, recordCount, uncompressible(settings.compression, cause), -1, -1);
      return;
    }
    const isCompressed = settings.compression !== 'none';
    // A small batch must not hold a large one's memory until it is acknowledged.
    const isCopied = !isCompressed && bytes.length * 2 < writer.capacityBytes;
    const memoryOfWriter = bytes;
    if (isCopied) bytes = Buffer.from(bytes);
    const isReusable = isCompressed || isCopied;
    if (isReusable) writer.reset(isCopied ? memoryOfWriter : undefined);
    const retainedBytes = isReusable ? bytes.length : writer.capacityBytes;
    memory.closeWriter(writer, retainedBytes, isReusable);
    const batch = createBatch({
      bytes,
      retainedBytes,
      recordCount,
      createdMs: this.openedMs,
      ticket,
      firstInTicket: 0,
      stamped: { identity, sequence },
    });
    this.context.enqueue(this, batch);
  }

  /** Tickets of everything that is not settled yet. */
  *openTickets(): Generator<Ticket, void, undefined> {
    for (const { ticket } of this.line.batches) yield ticket;
    if (this.ticket !== undefined) yield this.ticket;
  }
}

function uncompressible(codec: string, cause: unknown): ProducerError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ProducerError('BAD_VALUE', `the batch cannot be compressed with ${codec}: ${why}`, {
    cause,
  });
}
