/** What the live status knows; counts of the writer are of this run. */
export interface Figures {
  readonly written: { readonly lines: number; readonly mails: number } | undefined;
  /** Status of the agent, as its process sent it. */
  readonly agent: unknown;
  /** Status of the sinks, as their process sent it. */
  readonly sinks: unknown;
}

interface SourceFigures {
  readonly acknowledged?: number;
  readonly lagBytes?: number;
}

interface SinkFigures {
  readonly records?: number;
  readonly lag?: number;
}

/** What statuses by name add up to; they came as messages, so nothing is taken for granted. */
function sum<T>(byName: unknown, figure: (of: T) => number | undefined): number {
  const all = Object.values((byName ?? {}) as Record<string, T>);
  return all.reduce((total, each) => total + Math.max(figure(each) ?? 0, 0), 0);
}

const number = (value: number) => value.toLocaleString('en');

/** A count that goes on where its role was started again and counts from 0. */
class Total {
  #before = 0;
  #last = 0;

  add(count: number): number {
    if (count < this.#last) this.#before += this.#last;
    this.#last = count;
    return this.#before + count;
  }
}

/** Makes one line for people: what came in, what is archived, what lies between. */
export class StatusLine {
  readonly #sent = new Total();
  readonly #archived = new Total();

  of({ written, agent, sinks }: Figures): string {
    const parts: string[] = [];
    if (written) {
      parts.push(`written ${number(written.lines)} lines, ${number(written.mails)} mails`);
    }
    if (agent !== undefined) {
      const { sources } = agent as { sources?: unknown };
      const sent = sum<SourceFigures>(sources, (source) => source.acknowledged);
      const lag = sum<SourceFigures>(sources, (source) => source.lagBytes);
      parts.push(`in ${number(this.#sent.add(sent))}`, `unread ${number(lag)} bytes`);
    }
    if (sinks !== undefined) {
      const archived = sum<SinkFigures>(sinks, (sink) => sink.records);
      const lag = sum<SinkFigures>(sinks, (sink) => sink.lag);
      parts.push(`archived ${number(this.#archived.add(archived))}`, `lag ${number(lag)} records`);
    }
    return parts.length === 0 ? 'running' : parts.join(' · ');
  }
}
