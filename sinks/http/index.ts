export { type HttpConfig, httpSchema } from './options.js';
