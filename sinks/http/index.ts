export { HttpSink } from './http-sink.js';
export { httpSchema } from './options.js';
