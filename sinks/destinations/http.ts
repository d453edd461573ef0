import { secret, webUrl, z } from '../../config/index.js';
import type { HttpResponse } from '../../system/index.js';
import { ByteWriter } from '../byte-writer.js';
import {
  type CutOrigin,
  type Delivery,
  type Destination,
  type DestinationComponent,
  type DestinationContext,
  deliverySink,
  type Verdict,
} from '../delivery/index.js';
import { writeRecordJson } from '../record-json.js';
import type { RecordWalk } from '../record-view.js';
import { retryAfterOf } from './retry-after.js';

const QUOTED_BODY_BYTES = 200;
const LINE_FEED = 0x0a;

const formats = ['json', 'ndjson', 'lines'] as const;

/** What the `Content-Type` header says of each format. */
const contentTypes: Readonly<Record<string, string>> = {
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  lines: 'text/plain; charset=utf-8',
};

const schema = z
  .strictObject({
    url: webUrl().describe(
      'Where requests are sent with POST. `user:password@` in it becomes an `Authorization` ' +
        'header (Basic), unless `headers` has one; it is masked wherever the URL would be shown.',
    ),
    format: z
      .enum(formats)
      .default('json')
      .describe('`json`: an array of records. `ndjson`: one record a line. `lines`: the values.'),
    headers: z
      .record(z.string(), secret())
      .default({})
      .describe('Headers of each request; their values are masked wherever they would be shown.'),
  })
  .describe('Sends records to an HTTP endpoint, at least once, with an Idempotency-Key.');

const example = `
kafka: { bootstrap: [logs.internal:9092] }
sinks:
  notify:
    type: http
    topics: [mail]
    url: "https://hooks.internal/mail"
    headers: { Authorization: "Bearer \${TOKEN:-none}" }
    batch: { records: 500, bytes: 1MiB, linger: 1s }
    dead_letter: mail-refused
`;

export const httpDestination: DestinationComponent<typeof schema> = {
  type: 'http',
  schema,
  example,
  create: (options, context) => new HttpDestination(options, context),
};

/** `type: http`: records to an endpoint, at least once. */
export const httpSink = deliverySink(httpDestination);

/** An HTTP endpoint. Only 2xx accepts. */
class HttpDestination implements Destination {
  readonly shown: string;
  readonly formats: Destination['formats'];
  readonly #context: DestinationContext;
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(options: z.output<typeof schema>, context: DestinationContext) {
    const { url, format } = options;
    this.#context = context;
    this.#url = url.reveal();
    this.#headers = headersOf(options);
    this.formats = [format, ...formats];
    const { origin, pathname } = new URL(this.#url);
    // Without the query: it may hold secrets.
    this.shown = origin + pathname;
  }

  encode(records: RecordWalk, origin: CutOrigin): Buffer {
    const { format } = origin;
    const out = new ByteWriter(records.bytes.length);
    let isFirst = true;
    if (format === 'json') out.text('[');
    while (records.next()) {
      if (format === 'lines') {
        const { valueStart, valueEnd } = records;
        if (valueEnd > valueStart) out.copy(records, valueStart, valueEnd);
      } else {
        if (format === 'json' && !isFirst) out.text(',');
        writeRecordJson(out, origin, records);
      }
      if (format !== 'json') out.byte(LINE_FEED);
      isFirst = false;
    }
    if (format === 'json') out.text(']');
    return out.view();
  }

  async send({ key, format, body }: Delivery, signal: AbortSignal): Promise<Verdict> {
    const { system, timeoutMs } = this.#context;
    const response = await system.http.request({
      method: 'POST',
      url: this.#url,
      headers: {
        ...this.#headers,
        'content-type': contentTypes[format] ?? '',
        'idempotency-key': key,
      },
      body,
      timeoutMs,
      signal,
    });
    const { status, headers } = response;
    if (status >= 200 && status < 300) return { kind: 'accepted' };
    const reason = describe(this.shown, response);
    if (!isTransient(status)) return { kind: isDenial(status) ? 'denied' : 'refused', reason };
    const retryAfterMs = retryAfterOf(headers, system.clock.now());
    return { kind: 'unavailable', reason, retryAfterMs };
  }
}

/** Those of each request, by their names in lower case. */
function headersOf({ headers, url }: z.output<typeof schema>): Record<string, string> {
  const revealed: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    revealed[name.toLowerCase()] = value.reveal();
  }
  if (url.credentials !== undefined) {
    const encoded = Buffer.from(url.credentials.reveal()).toString('base64');
    revealed.authorization ??= `Basic ${encoded}`;
  }
  return revealed;
}

function isTransient(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** Of address, credentials, method, headers or licence: no record's fault. So are redirections. */
const DENIALS = new Set([
  401, 402, 403, 404, 405, 406, 407, 410, 411, 412, 414, 415, 416, 417, 421, 426, 428, 431, 451,
]);

function isDenial(status: number): boolean {
  return status < 400 || DENIALS.has(status);
}

function describe(shown: string, { status, body }: HttpResponse): string {
  const quoted = body.subarray(0, QUOTED_BODY_BYTES).toString('utf8').trim();
  return `${shown} answered ${status}${quoted === '' ? '' : `: ${quoted}`}`;
}
