import { type Api, encodeResponse, type RequestFrame } from '../protocol/index.js';
import type { Clock, Log } from '../system/index.js';
import type { Answer, ClientOfRequest } from './client-connection.js';
import type { BrokerSettings } from './properties/index.js';
import type { Resources } from './resources/index.js';

/**
 * Elements that the arrays of one request may have, all together: some 20 MB of objects and some
 * 200 ms of work at most. A commit of twenty topics with 10,000 partitions each fits.
 */
const MAX_REQUEST_ELEMENTS = 200_000;

/** Where clients reach a broker. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What a handler knows besides the request's body, and the one way to the broker's resources. */
export interface RequestContext extends Resources {
  readonly apiVersion: number;
  readonly client: ClientOfRequest;
  readonly settings: BrokerSettings;
  readonly clock: Clock;
  readonly log: Log;
  /** What the listener that the request came in by advertises. */
  readonly endpoint: Endpoint;
}

/** An API as the dispatcher sees it: from the bytes of a request to those of its response. */
export interface Handler {
  readonly api: {
    readonly key: number;
    readonly name: string;
    readonly minVersion: number;
    readonly maxVersion: number;
  };
  answer(frame: Buffer, header: RequestFrame, context: RequestContext): Answer | Promise<Answer>;
}

/**
 * Makes a handler of a function from request to response. null stands for "no response".
 * What the function throws closes the connection: refusals are answers, not errors.
 */
export function handler<Q, P, QI, PI>(
  api: Api<Q, P, QI, PI>,
  handle: (request: Q, context: RequestContext) => PI | null | Promise<PI | null>,
): Handler {
  return {
    api,
    answer(frame, header, context) {
      const { apiVersion, correlationId, bodyOffset } = header;
      const encode = (response: PI | null): Answer =>
        response === null ? undefined : encodeResponse(api, apiVersion, correlationId, response);
      const request = api.request.read(frame, bodyOffset, apiVersion, MAX_REQUEST_ELEMENTS);
      const response = handle(request, context);
      return response instanceof Promise ? response.then(encode) : encode(response);
    },
  };
}
