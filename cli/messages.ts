/** What a role's process tells `up` over the channel between them. */
export type FromRole =
  | {
      readonly type: 'ready';
      /** Where clients reach it. */
      readonly address?: string;
      /** Where it listens: the real port, also where 0 was asked for. */
      readonly listen?: string;
      readonly telemetry?: string;
    }
  | { readonly type: 'status'; readonly status: unknown };

/** What `up` tells a role's process. */
export type ToRole =
  | { readonly type: 'status' }
  /** Finish what is there, then exit: 0 where all of it was finished. */
  | { readonly type: 'drain'; readonly timeoutMs: number };

/** Takes a message for what it says it is; anything else is undefined. */
export function asMessage<T extends { type: string }>(value: unknown): T | undefined {
  return typeof value === 'object' && value !== null && 'type' in value ? (value as T) : undefined;
}
