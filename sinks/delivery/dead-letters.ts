import { Producer } from '../../client/index.js';
import type { System } from '../../system/index.js';
import { type RecordView, readRecordHeaders } from '../record-view.js';

/** Where a record came from, and why it was refused. */
export interface Refusal {
  readonly topic: string;
  readonly partition: number;
  readonly reason: string;
}

/** A topic that is missing for longer is a problem that a person has to hear of. */
const TOPIC_MISSING_MS = 10_000;

/** Takes records that a destination refuses, unchanged, into a topic of their own. */
export class DeadLetters {
  readonly #topic: string;
  readonly #producer: Producer;

  constructor(system: System, bootstrap: readonly string[], clientId: string, topic: string) {
    this.#topic = topic;
    const options = { bootstrap, clientId, acks: 'all', maxBlockMs: TOPIC_MISSING_MS } as const;
    this.#producer = new Producer(options, system);
  }

  /** Resolves when the record is in the dead-letter topic. */
  async send(record: RecordView, refusal: Refusal): Promise<void> {
    const { bytes, keyStart, keyEnd, valueStart, valueEnd } = record;
    await this.#producer.send({
      topic: this.#topic,
      key: keyEnd < 0 ? null : bytes.subarray(keyStart, keyEnd),
      value: valueEnd < 0 ? null : bytes.subarray(valueStart, valueEnd),
      ...(record.timestamp >= 0 ? { timestamp: record.timestamp } : {}),
      headers: [
        ...readRecordHeaders(record),
        ['logflume.dead_letter.topic', refusal.topic],
        ['logflume.dead_letter.partition', String(refusal.partition)],
        ['logflume.dead_letter.offset', String(record.offset)],
        ['logflume.dead_letter.reason', refusal.reason],
      ],
    });
  }

  /** At once: whoever still waits for a record sends it again after the next start. */
  close(): Promise<void> {
    return this.#producer.close({ timeoutMs: 0 });
  }
}
