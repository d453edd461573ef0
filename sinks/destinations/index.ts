export { httpSink } from './http.js';
