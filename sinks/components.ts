import {
  archiveSink,
  type FormatComponent,
  formats,
  type StoreComponent,
  storeComponents,
} from './archive/index.js';
import { httpSink } from './destinations/index.js';
import type { SinkComponent } from './sink.js';

/** Every type of sink, and of what sinks are made of. */
export interface SinkComponents {
  readonly sinks: readonly SinkComponent[];
  readonly stores: readonly StoreComponent[];
  readonly formats: readonly FormatComponent[];
}

/** Those that there are, and what a program adds to them. */
export function sinkComponents(added: Partial<SinkComponents> = {}): SinkComponents {
  const parts = {
    stores: [...storeComponents, ...(added.stores ?? [])],
    formats: [...formats, ...(added.formats ?? [])],
  };
  return { sinks: [archiveSink(parts), httpSink, ...(added.sinks ?? [])], ...parts };
}
