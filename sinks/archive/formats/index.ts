import { eml } from './eml.js';
import type { Format } from './format.js';
import { jsonl } from './jsonl.js';
import { lines } from './lines.js';

export type { Format } from './format.js';

/** Every format by its name in the configuration. */
export const formats: Readonly<Record<Format['name'], Format>> = { lines, jsonl, eml };
