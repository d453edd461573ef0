/** One HTTP request. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Whole exchange, milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Larger response bodies are cut here. Default 1 MiB. */
  readonly maxResponseBytes?: number;
}

/** What came back; header names in lower case. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A small HTTP server's answer. */
export interface HttpReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** HTTP client (pooled per origin) and the telemetry server. Network faults reject with `code`. */
export interface Http {
  request(request: HttpRequest): Promise<HttpResponse>;
  serve(
    address: { host: string; port: number },
    handler: (method: string, path: string) => Promise<HttpReply>,
  ): Promise<{ readonly host: string; readonly port: number; close(): Promise<void> }>;
}
