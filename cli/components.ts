import type { AgentComponents } from '../agent/index.js';
import type { SinkComponents } from '../sinks/index.js';

/** What each kind of thing in the YAML may be; of what a process has not loaded there is none. */
export type Components = AgentComponents & SinkComponents;

/** A kind of component, as plugins export it. */
export type Kind = keyof Components;

/** All components of these sets. */
export function together(...sets: readonly Partial<Components>[]): Components {
  return {
    sources: sets.flatMap(({ sources = [] }) => sources),
    interceptors: sets.flatMap(({ interceptors = [] }) => interceptors),
    sinks: sets.flatMap(({ sinks = [] }) => sinks),
    stores: sets.flatMap(({ stores = [] }) => stores),
    formats: sets.flatMap(({ formats = [] }) => formats),
  };
}
