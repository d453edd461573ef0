import type { ReadShape, Shape, WriteShape } from './field.js';
import { message, type Schema, type Versions } from './schema.js';

/** One API of Kafka's protocol: a request, its response and the versions both share. */
export interface Api<Req, Res, ReqIn = Req, ResIn = Res> {
  readonly key: number;
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
  /** First version with compact lengths and tagged fields. */
  readonly flexibleFrom: number;
  readonly request: Schema<Req, ReqIn>;
  readonly response: Schema<Res, ResIn>;
}

/** An API of which only key and versions matter. */
export type AnyApi = Api<unknown, unknown, never, never>;

/** Declares an API; `Q` and `P` are the shapes of request and response. */
export function api<Q extends Shape, P extends Shape>(
  key: number,
  name: string,
  definition: Versions & { readonly request: Q; readonly response: P },
): Api<ReadShape<Q>, ReadShape<P>, WriteShape<Q>, WriteShape<P>> {
  const request = message(`${name}Request`, definition, definition.request);
  const response = message(`${name}Response`, definition, definition.response);
  const { minVersion, maxVersion, flexibleFrom } = request;
  return { key, name, minVersion, maxVersion, flexibleFrom, request, response };
}
