import type { AgentComponents } from '../agent/index.js';
import type { SinkComponents } from '../sinks/index.js';

/** What each kind of thing in the YAML may be; of what a process has not loaded there is none. */
export type Components = AgentComponents & SinkComponents;

/** A kind of component, as plugins export it. */
export type Kind = keyof Components;

/** Nothing that plugins add. */
export const noComponents: Components = {
  sources: [],
  interceptors: [],
  sinks: [],
  stores: [],
  formats: [],
};
