export { HttpSink } from './http-sink.js';
export { type HttpConfig, httpSchema } from './options.js';
