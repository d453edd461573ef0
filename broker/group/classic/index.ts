export { ClassicGroup, type JoinRequest } from './classic-group.js';
export { classic } from './kind.js';
export type { GroupState } from './model.js';
export { refusal } from './refusal.js';
