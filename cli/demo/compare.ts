/** What a comparison of lines found. Everything but `equal` and `repeats` is damage. */
export interface LineVerdict {
  /** Lines at their place. */
  readonly equal: number;
  /** Lines that stand in the archive once more. */
  readonly repeats: number;
  /** The unbroken runs that the repeated lines form: one for each time a reader went back. */
  readonly repeatRuns: number;
  readonly missing: number;
  /** Lines of the archive that were never written: a flipped byte makes one. */
  readonly foreign: number;
  readonly outOfOrder: number;
  /** The first few differences, in words. */
  readonly examples: readonly string[];
}

/** How far the comparison looks back and ahead, in lines. */
const WINDOW_LINES = 50_000;
/** Beyond this many differences nobody reads on, and looking ahead for each costs time. */
const MOST_DIFFERENCES = 1_000;
const EXAMPLES = 5;

/** The written lines in their order, with a bounded look ahead. */
class Written {
  /** Number of the line that is expected now, from 0. */
  number = 0;
  readonly #source: Iterator<string>;
  #ahead: string[] = [];
  #taken = 0;

  constructor(lines: Iterable<string>) {
    this.#source = lines[Symbol.iterator]();
  }

  peek(distance: number): string | undefined {
    while (this.#ahead.length - this.#taken <= distance) {
      const { value, done } = this.#source.next();
      if (done) return undefined;
      this.#ahead.push(value);
    }
    return this.#ahead[this.#taken + distance];
  }

  take(): void {
    this.#taken++;
    this.number++;
    if (this.#taken < 4_096) return;
    this.#ahead = this.#ahead.slice(this.#taken);
    this.#taken = 0;
  }

  /** How far ahead `line` stands; undefined where it does not. */
  find(line: string): number | undefined {
    for (let distance = 1; distance < WINDOW_LINES; distance++) {
      const candidate = this.peek(distance);
      if (candidate === undefined) return undefined;
      if (candidate === line) return distance;
    }
    return undefined;
  }
}

/**
 * Compares the lines of an archive with those that were written, which must differ from each
 * other. Tells repeated lines from damage: missing, foreign (altered) and out of order.
 */
export class LineComparison {
  readonly #written: Written;
  /** Numbers of the lines that were compared last; bounded. */
  readonly #past = new Map<string, number>();
  /** Lines passed over, by text: they are missing unless they still turn up. */
  readonly #missing = new Map<string, number>();
  readonly #examples: string[] = [];
  #equal = 0;
  #repeats = 0;
  #repeatRuns = 0;
  #foreign = 0;
  #outOfOrder = 0;
  /** Number of the line that was repeated last, while a run goes on. */
  #lastRepeat: number | undefined;

  constructor(written: Iterable<string>) {
    this.#written = new Written(written);
  }

  /** Takes the next line of the archive. */
  push(line: string): void {
    const repeated = this.#past.get(line);
    if (this.#written.peek(0) === line) this.#accept(line);
    else if (repeated !== undefined) this.#repeat(repeated);
    else this.#differ(line);
  }

  /** What was found, once the archive has no more lines. */
  end(): LineVerdict {
    while (this.#written.peek(0) !== undefined) this.#passOver(1);
    for (const number of this.#missing.values()) this.#example(`line ${number + 1} is missing`);
    return {
      equal: this.#equal,
      repeats: this.#repeats,
      repeatRuns: this.#repeatRuns,
      missing: this.#missing.size,
      foreign: this.#foreign,
      outOfOrder: this.#outOfOrder,
      examples: this.#examples,
    };
  }

  #accept(line: string): void {
    this.#lastRepeat = undefined;
    this.#equal++;
    this.#past.set(line, this.#written.number);
    this.#written.take();
    if (this.#past.size <= WINDOW_LINES) return;
    for (const oldest of this.#past.keys()) {
      this.#past.delete(oldest);
      break;
    }
  }

  #differ(line: string): void {
    this.#lastRepeat = undefined;
    const passedOver = this.#missing.get(line);
    if (passedOver !== undefined) {
      this.#missing.delete(line);
      this.#outOfOrder++;
      this.#example(`line ${passedOver + 1} stands after later ones`);
      return;
    }
    const distance = this.#tooMany() ? undefined : this.#written.find(line);
    if (distance === undefined) {
      this.#foreign++;
      const wanted = shortened(this.#written.peek(0));
      this.#example(`"${shortened(line)}" was never written; expected "${wanted}"`);
      return;
    }
    this.#passOver(distance);
    this.#accept(line);
  }

  #repeat(number: number): void {
    if (this.#lastRepeat !== number - 1) this.#repeatRuns++;
    this.#lastRepeat = number;
    this.#repeats++;
  }

  #passOver(count: number): void {
    for (let i = 0; i < count; i++) {
      const line = this.#written.peek(0);
      if (line !== undefined) this.#missing.set(line, this.#written.number);
      this.#written.take();
    }
  }

  #tooMany(): boolean {
    return this.#foreign + this.#outOfOrder + this.#missing.size > MOST_DIFFERENCES;
  }

  #example(text: string): void {
    if (this.#examples.length < EXAMPLES) this.#examples.push(text);
  }
}

function shortened(line: string | undefined): string {
  if (line === undefined) return 'the end';
  const text = Buffer.from(line, 'latin1').toString('utf8').trimEnd();
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
