import { archive, formats, storeComponents } from './archive/index.js';
import { httpSink } from './destinations/index.js';
import type { SinkComponent, SinkParts } from './sink.js';

/** Every type of sink, and what sinks are made of. */
export interface SinkComponents extends SinkParts {
  readonly sinks: readonly SinkComponent[];
}

/** Those that come with logflume. */
export const sinkComponents: SinkComponents = {
  sinks: [archive, httpSink],
  stores: storeComponents,
  formats,
};

/** The sinks of a set, each made of its parts. */
export function sinksOf({ sinks, ...parts }: SinkComponents): readonly SinkComponent[] {
  return sinks.map((sink) => sink.withParts?.(parts) ?? sink);
}
