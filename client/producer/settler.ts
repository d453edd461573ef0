import { readBatchHeader } from '../../protocol/records/index.js';
import type { System } from '../../system/index.js';
import type { Accumulator } from './accumulator.js';
import { type Batch, splitBatch } from './batch.js';
import { batchError } from './errors.js';
import type { Outcome } from './line.js';
import type { ProducerMemory } from './memory.js';
import type { ProducerSettings } from './options.js';
import { type LineEffect, type LineEvent, step } from './step.js';

/** What the effects of lines ask for beyond their batches. */
export interface EffectSink {
  refreshMetadata(topic: string): void;
  newProducerId(): void;
}

/** Applies events to lines and carries out what follows for batches, tickets and memory. */
export class Settler {
  constructor(
    private readonly system: Pick<System, 'clock'>,
    private readonly settings: ProducerSettings,
    private readonly memory: ProducerMemory,
    private readonly sink: EffectSink,
  ) {}

  apply(accumulator: Accumulator, event: LineEvent<Batch>): void {
    const now = this.system.clock.monotonic();
    for (const effect of step(accumulator.line, event, now)) this.execute(accumulator, effect);
  }

  private execute(accumulator: Accumulator, effect: LineEffect<Batch>): void {
    switch (effect.type) {
      case 'settled':
        this.settle(accumulator, effect.batch, effect.outcome);
        break;
      case 'abandoned':
        this.giveUp(effect.batch, effect.reason);
        break;
      case 'split':
        this.split(accumulator, effect.batch);
        break;
      case 'refreshMetadata':
        this.sink.refreshMetadata(accumulator.topic);
        break;
      case 'newProducerId':
        this.sink.newProducerId();
    }
  }

  private settle(accumulator: Accumulator, batch: Batch, outcome: Outcome): void {
    const { ticket, firstInTicket, recordCount, bytes } = batch;
    if (outcome.type === 'delivered') {
      const { baseOffset } = outcome;
      const timeMs = timeOfAll(batch, outcome.logAppendTimeMs);
      this.memory.release(batch.retainedBytes, this.isFree(batch) ? bytes : undefined);
      ticket.settle(firstInTicket, recordCount, null, baseOffset, timeMs);
    } else {
      this.giveUp(batch, batchError(outcome.reason, accumulator, bytes));
    }
  }

  private giveUp(batch: Batch, reason: Error): void {
    const { ticket, firstInTicket, recordCount, retainedBytes } = batch;
    this.memory.release(retainedBytes, undefined);
    ticket.settle(firstInTicket, recordCount, reason, -1, -1);
  }

  /** Nobody can be reading the batch's memory: it was sent once, and that was answered. */
  private isFree({ attempts }: Batch): boolean {
    const { acks, compression } = this.settings;
    return attempts === 1 && acks !== 0 && compression === 'none';
  }

  private split(accumulator: Accumulator, batch: Batch): void {
    const halves = splitBatch(batch, this.settings);
    batch.ticket.addPart();
    this.memory.add(halves.reduce((sum, { retainedBytes }) => sum + retainedBytes, 0));
    this.memory.release(batch.retainedBytes, undefined);
    this.apply(accumulator, { type: 'split', batch, halves });
  }
}

/** The one time that all records of a batch have in the log; -1 where each has its own. */
function timeOfAll({ isTimeRefused, bytes }: Batch, logAppendTimeMs: number): number {
  if (!isTimeRefused || logAppendTimeMs >= 0) return logAppendTimeMs;
  return readBatchHeader(bytes, 0).maxTimestamp;
}
