export { InterceptorChain } from './chain.js';
export { CounterInterceptor } from './counter.js';
export type { Interceptor } from './interceptor.js';
export { timestampInterceptor } from './timestamp.js';
