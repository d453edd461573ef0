export { LocalStore } from './local.js';
export type { Store } from './store.js';
