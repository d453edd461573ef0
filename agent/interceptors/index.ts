import { z } from '../../config/index.js';
import { InterceptorChain, InterceptorError } from './chain.js';
import { counter } from './counter.js';
import { host } from './host.js';
import type { Interceptor, InterceptorContext } from './interceptor.js';
import { regexExtract } from './regex-extract.js';
import { regexFilter } from './regex-filter.js';
import { searchReplace } from './search-replace.js';
import { staticHeaders } from './static.js';
import { timestamp } from './timestamp.js';

export { InterceptorChain, InterceptorError };

/** One interceptor in the YAML; `type` says which. */
export const interceptorOptions = z.discriminatedUnion('type', [
  timestamp.schema,
  host.schema,
  staticHeaders.schema,
  regexFilter.schema,
  searchReplace.schema,
  regexExtract.schema,
  counter.schema,
]);

export type InterceptorOptions = z.output<typeof interceptorOptions>;

/** The chain of one source. */
export function createChain(
  list: readonly InterceptorOptions[],
  context: InterceptorContext,
): InterceptorChain {
  return new InterceptorChain(list.map((options) => create(options, context)));
}

function create(options: InterceptorOptions, context: InterceptorContext): Interceptor {
  switch (options.type) {
    case 'timestamp':
      return timestamp.create(options, context);
    case 'host':
      return host.create(options, context);
    case 'static':
      return staticHeaders.create(options, context);
    case 'regex_filter':
      return regexFilter.create(options, context);
    case 'search_replace':
      return searchReplace.create(options, context);
    case 'regex_extract':
      return regexExtract.create(options, context);
    case 'counter':
      return counter.create(options, context);
  }
}
