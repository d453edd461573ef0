import type { System } from '../../system/index.js';

/** What a log asks of the system it lives in. */
export type LogEnvironment = Pick<System, 'clock' | 'disk' | 'log' | 'metrics'>;
