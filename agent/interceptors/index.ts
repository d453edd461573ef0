import { type ComponentOptions, componentOf } from '../../config/index.js';
import { InterceptorChain, InterceptorError } from './chain.js';
import { counter } from './counter.js';
import { host } from './host.js';
import type { InterceptorComponent, InterceptorContext } from './interceptor.js';
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

/** The chain of one source, whose options were checked against `components`. */
export function createChain(
  components: readonly InterceptorComponent[],
  list: readonly ComponentOptions[],
  context: InterceptorContext,
): InterceptorChain {
  return new InterceptorChain(
    list.map((options) => componentOf(components, options).create(options, context)),
    context,
  );
}
