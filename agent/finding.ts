export type { Finding } from '../config/index.js';
