import { classic } from './classic/index.js';
import type { GroupKind } from './group.js';

/** Every kind of group; who only commits offsets has one of the first. */
export const groupKinds: readonly GroupKind[] = [classic];
