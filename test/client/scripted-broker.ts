import {
  type AnyApi,
  ApiVersions,
  apis,
  decodeRequestHeader,
  encodeResponse,
  FrameSplitter,
  type RequestFrame,
} from '../../protocol/index.js';
import type { Connection } from '../../system/index.js';
import type { SimProcess } from '../../system/sim/index.js';

/** A request as it came. */
export interface Received extends RequestFrame {
  readonly name: string;
  readonly body: unknown;
}

/** Bytes to send as they are, a body to encode, or nothing at all. */
export type Answer = { bytes: Uint8Array[] } | { body: unknown } | 'nothing' | 'close';
export type Script = (request: Received, broker: ScriptedBroker) => Answer;

/** A broker whose every answer the test decides; it speaks these versions of these APIs. */
export class ScriptedBroker {
  readonly received: Received[] = [];
  readonly connections: Connection[] = [];
  port = 0;

  constructor(
    readonly process: SimProcess,
    private readonly script: Script,
  ) {}

  async listen(port: number): Promise<this> {
    const listener = await this.process.net.listen({ host: '127.0.0.1', port }, (connection) => {
      this.connections.push(connection);
      const splitter = new FrameSplitter(1_000_000);
      connection.handle({
        onData: (bytes) => splitter.push(bytes, (frame) => this.answer(connection, frame)),
        onDrain: () => {},
        onClose: () => {},
      });
    });
    this.port = listener.port;
    return this;
  }

  private answer(connection: Connection, frame: Buffer): void {
    const header = decodeRequestHeader(frame);
    const api = apis.get(header.apiKey) as AnyApi;
    const isKnown = header.apiVersion >= api.minVersion && header.apiVersion <= api.maxVersion;
    const body = isKnown
      ? api.request.read(frame, header.bodyOffset, header.apiVersion)
      : undefined;
    const request = { ...header, name: api.name, body };
    this.received.push(request);
    const answer = this.script(request, this);
    if (answer === 'close') connection.destroy();
    if (answer === 'close' || answer === 'nothing') return;
    const bytes =
      'bytes' in answer
        ? answer.bytes
        : encodeResponse(api, header.apiVersion, header.correlationId, answer.body as never);
    connection.write(bytes);
  }
}

/** What ApiVersions answers where all these are spoken as we know them, or as given. */
export function versions(limits: Readonly<Record<string, readonly [number, number]>> = {}) {
  return {
    errorCode: 0,
    apiKeys: [...apis.values()].map(({ key, name, minVersion, maxVersion }) => {
      const [min, max] = limits[name] ?? [minVersion, maxVersion];
      return { apiKey: key, minVersion: min, maxVersion: max };
    }),
    throttleTimeMs: 0,
  };
}

/** The answer of a broker that knows ApiVersions only up to a lower version. */
export function unsupportedVersion(correlationId: number, max: number): Answer {
  const body = { ...versions({ ApiVersions: [0, max] }), errorCode: 35 };
  return { bytes: encodeResponse(ApiVersions, 0, correlationId, body) };
}
