import type { z } from 'zod';
import type { System } from '../system/index.js';
import type { Components } from './components.js';

/** The roles a machine can run, in the order in which they start. */
export const roleNames = ['broker', 'agent', 'sinks'] as const;
export type RoleName = (typeof roleNames)[number];

/** What a role is started with: the checked sections of the YAML that concern it. */
export interface RoleSections {
  readonly data_dir: string;
  readonly section: unknown;
  readonly kafka: unknown;
  /** A person gives up the offsets that retention has removed; only sinks look at it. */
  readonly acceptGap: boolean;
  /** Those that its section was checked against. */
  readonly components: Components;
}

/** A role that runs in this process. */
export interface RunningRole {
  /** `host:port` where clients reach it; undefined for a role that does not listen. */
  readonly address: string | undefined;
  /** Where it listens, with its real port; a restart must come up there again. */
  readonly listen: string | undefined;
  /** Finishes what is there now; false where it was not finished within `timeoutMs`. */
  drain(timeoutMs: number): Promise<boolean>;
  /** Closes everything, so that the next start is quick. */
  stop(): Promise<void>;
  /** Counts for people: plain data. */
  status(): unknown;
}

/** How the command line runs a role. Loaded only by the process that needs it. */
export interface Role {
  readonly name: RoleName;
  /** What comes with it. */
  readonly components: Partial<Components>;
  /** Its section of the YAML, where things may be what `components` has. */
  section(components: Components): z.ZodType;
  /** The `kafka:` section, for roles that are Kafka clients. */
  readonly kafka: z.ZodType | undefined;
  start(system: System, sections: RoleSections): Promise<RunningRole>;
}
