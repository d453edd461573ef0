import { detach } from '../../system/index.js';
import type { RecordProducer } from '../producer.js';
import type { Alarm } from './alarm.js';

/** Waits for the producer, which may be full, or look for the topic in vain. */
export class Room {
  #isAwaited = false;

  constructor(
    private readonly producer: RecordProducer,
    private readonly alarm: Alarm,
  ) {}

  /** Resolves when the producer may take something, when the alarm rings, or after `limitMs`. */
  async wait(limitMs: number): Promise<void> {
    if (!this.#isAwaited) {
      this.#isAwaited = true;
      const goOn = () => {
        this.#isAwaited = false;
        this.alarm.ring();
      };
      detach(this.producer.writable().then(goOn), goOn);
    }
    await this.alarm.wait(limitMs);
  }
}
