import { ComponentError, type ComponentOptions, componentOf, made } from '../../config/index.js';
import { InterceptorChain, InterceptorError } from './chain.js';
import { counter } from './counter.js';
import { host } from './host.js';
import type { Interceptor, InterceptorComponent, InterceptorContext } from './interceptor.js';
import { regexExtract } from './regex-extract.js';
import { regexFilter } from './regex-filter.js';
import { searchReplace } from './search-replace.js';
import { staticHeaders } from './static.js';
import { timestamp } from './timestamp.js';

export type { Interceptor, InterceptorComponent, InterceptorContext } from './interceptor.js';
export type { RecordView } from './record-view.js';
export { InterceptorChain, InterceptorError };

/** Every type of interceptor that comes with logflume. */
export const interceptors: readonly InterceptorComponent[] = [
  timestamp,
  host,
  staticHeaders,
  regexFilter,
  searchReplace,
  regexExtract,
  counter,
];

/**
 * The chain of one source, whose options were checked against `components`. Throws ComponentError
 * where an interceptor cannot be made.
 */
export function createChain(
  components: readonly InterceptorComponent[],
  list: readonly ComponentOptions[],
  context: InterceptorContext,
): InterceptorChain {
  return new InterceptorChain(
    list.map((options) => {
      const { type } = options;
      const what = `the interceptor ${type} of source ${context.source}`;
      const component = componentOf(components, options);
      const interceptor = made(what, () => component.create(options, context));
      checkInterceptor(what, interceptor);
      return { type, interceptor };
    }),
    context,
  );
}

/** One that would do nothing is a mistake: a misspelt member, most often. */
function checkInterceptor(what: string, { intercept, onDelivered, constantHeaders }: Interceptor) {
  for (const member of [intercept, onDelivered]) {
    if (member === undefined || typeof member === 'function') continue;
    throw new ComponentError(`${what} cannot be made: intercept and onDelivered are functions`);
  }
  if (intercept ?? onDelivered ?? constantHeaders) return;
  throw new ComponentError(
    `${what} would do nothing: create must give intercept, onDelivered or constantHeaders`,
  );
}
