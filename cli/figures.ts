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

function sum<T>(status: unknown, part: string, figure: (of: T) => number | undefined): number {
  const all = (status as Record<string, Record<string, T>> | undefined)?.[part] ?? {};
  return Object.values(all).reduce((total, each) => total + Math.max(figure(each) ?? 0, 0), 0);
}

const number = (value: number) => value.toLocaleString('en');

/** One line for people: what came in, what is archived, what lies between. */
export function statusLine({ written, agent, sinks }: Figures): string {
  const parts: string[] = [];
  if (written) {
    parts.push(`written ${number(written.lines)} lines, ${number(written.mails)} mails`);
  }
  if (agent !== undefined) {
    const sent = sum<SourceFigures>(agent, 'sources', (source) => source.acknowledged);
    const lag = sum<SourceFigures>(agent, 'sources', (source) => source.lagBytes);
    parts.push(`in ${number(sent)}`, `unread ${number(lag)} bytes`);
  }
  if (sinks !== undefined) {
    const archived = sum<SinkFigures>(sinks, 'sinks', (sink) => sink.records);
    const lag = sum<SinkFigures>(sinks, 'sinks', (sink) => sink.lag);
    parts.push(`archived ${number(archived)}`, `lag ${number(lag)} records`);
  }
  return parts.length === 0 ? 'running' : parts.join(' · ');
}
