import { DeliveryError } from './errors.js';
import type { InterceptorChain } from './interceptors/index.js';
import type { ProducerRecord, RecordMetadata } from './record.js';
import type { StretchListener, StretchResult } from './ticket.js';

/** One call of `send`: its records, and what has become of them so far. */
export class SendCall implements StretchListener {
  /** The next record to append. */
  next = 0;
  /** The records as the interceptors left them; null where one was dropped. */
  private readonly sent: (ProducerRecord | null)[] = [];
  private readonly results: RecordMetadata[];
  private readonly failures: { record: ProducerRecord; reason: Error }[] = [];
  private open: number;

  constructor(
    readonly records: readonly ProducerRecord[],
    /** The time of records that have none. */
    readonly timestamp: number,
    /** Monotonic time at which it stops waiting for a place. */
    readonly deadlineMs: number,
    private readonly interceptors: InterceptorChain,
    private readonly onEnd: (error: DeliveryError | null, results: RecordMetadata[]) => void,
  ) {
    this.results = new Array<RecordMetadata>(records.length);
    this.open = records.length;
    if (this.open === 0) onEnd(null, this.results);
  }

  /** The record at `next` as the interceptors leave it, who see it once; null: dropped. */
  intercept(): ProducerRecord | null {
    const record = this.records[this.next] as ProducerRecord;
    if (this.interceptors.isEmpty) return record;
    if (this.sent.length === this.next) this.sent.push(this.interceptors.onSend(record));
    return this.sent[this.next] as ProducerRecord | null;
  }

  advance(): void {
    this.next++;
  }

  onStretch(start: number, count: number, result: StretchResult): void {
    const { topic, partition } = result;
    if (result.error !== null) {
      for (let i = start; i < start + count; i++) this.fail(i, result.error, partition);
      return;
    }
    const { baseOffset, timeMs } = result;
    for (let i = 0; i < count; i++) {
      const own = this.sentAt(start + i).timestamp ?? this.timestamp;
      this.end(start + i, null, {
        topic,
        partition,
        offset: baseOffset < 0 ? -1 : baseOffset + i,
        timestamp: timeMs < 0 ? own : timeMs,
      });
    }
  }

  /** An interceptor dropped the record: it is nowhere, and nobody minds. */
  drop(index: number): void {
    const { topic } = this.records[index] as ProducerRecord;
    this.results[index] = { topic, partition: -1, offset: -1, timestamp: -1 };
    this.endOne();
  }

  /** The record at `index` will not be delivered. */
  fail(index: number, thrown: unknown, partition = -1): void {
    const reason = thrown instanceof Error ? thrown : new Error(String(thrown));
    const record = this.records[index] as ProducerRecord;
    this.failures.push({ record, reason });
    const { topic, timestamp = this.timestamp } = record;
    this.end(index, reason, { topic, partition, offset: -1, timestamp });
  }

  /** Nothing from `next` on will be delivered. */
  failRest(reason: Error): void {
    for (; this.next < this.records.length; this.advance()) this.fail(this.next, reason);
  }

  private sentAt(index: number): ProducerRecord {
    return this.sent[index] ?? (this.records[index] as ProducerRecord);
  }

  private end(index: number, error: Error | null, metadata: RecordMetadata): void {
    if (this.interceptors.hearsAcknowledgements) {
      this.interceptors.onAcknowledgement(metadata, error);
    }
    if (error === null) this.results[index] = metadata;
    this.endOne();
  }

  private endOne(): void {
    this.open--;
    if (this.open > 0) return;
    if (this.failures.length === 0) this.onEnd(null, this.results);
    else {
      const delivered = this.results.filter((result) => result !== undefined);
      this.onEnd(new DeliveryError(this.failures, delivered), delivered);
    }
  }
}
