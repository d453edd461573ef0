import type { FieldSpec, Shape, WireType } from '../../protocol/codec/index.js';
import { type AnyApi, LONG_MAX, ZERO_UUID } from '../../protocol/index.js';

/** A place in a request that holds a number. */
interface Site {
  /** Such as `topics.partitions.fetchOffset` or `length of groupId`. */
  readonly path: string;
  readonly at: number;
  readonly size: number;
  /** Written as an unsigned varint of the value plus one. */
  readonly isCompact: boolean;
}

/** A request that is valid, and where its numbers are. */
interface Layout {
  readonly bytes: Buffer;
  readonly sites: readonly Site[];
}

/** A request with one number, or several, at a border of their types. */
export interface HostileRequest {
  /** Which API, version, field and value: enough to make it again. */
  readonly name: string;
  /** The frame with its length. */
  readonly frame: Buffer;
}

/** Values for fields by name; what is not named gets the zero of its type. */
export type Hints = Readonly<Record<string, unknown>>;

/** Writes a request as its schema says, and notes each number it writes. */
class LayoutWriter {
  private readonly chunks: Buffer[] = [];
  private at = 0;
  readonly sites: Site[] = [];

  constructor(
    private readonly version: number,
    private readonly isFlexible: boolean,
    private readonly hints: Hints,
  ) {}

  layout(): Layout {
    return { bytes: Buffer.concat(this.chunks), sites: this.sites };
  }

  number(path: string, value: number, size: number): void {
    const bytes = Buffer.alloc(size);
    if (size === 8) bytes.writeBigInt64BE(value === LONG_MAX ? 2n ** 63n - 1n : BigInt(value));
    else bytes.writeIntBE(value, 0, size);
    this.sites.push({ path, at: this.at, size, isCompact: false });
    this.raw(bytes);
  }

  raw(bytes: Buffer): void {
    this.chunks.push(bytes);
    this.at += bytes.length;
  }

  private length(path: string, value: number, plainSize: number, isCompact: boolean): void {
    if (!isCompact) {
      this.number(`length of ${path}`, value, plainSize);
      return;
    }
    const bytes = varint(value + 1);
    const size = bytes.length;
    this.sites.push({ path: `length of ${path}`, at: this.at, size, isCompact: true });
    this.raw(bytes);
  }

  shape(shape: Shape, path: string): void {
    for (const [name, { spec }] of Object.entries(shape)) {
      const isThere = this.version >= spec.since && this.version <= spec.until;
      if (!isThere || spec.tag !== undefined) continue;
      this.field(spec, name, path === '' ? name : `${path}.${name}`);
    }
    if (this.isFlexible) this.length(`tags of ${path}`, -1, 0, true);
  }

  private field(spec: FieldSpec, name: string, path: string): void {
    const isCompact = this.isFlexible && !spec.neverCompact;
    this.wire(spec.wire, name, path, isCompact, this.hints[name]);
  }

  private wire(
    wire: WireType,
    name: string,
    path: string,
    isCompact: boolean,
    hint: unknown,
  ): void {
    const sizes: Readonly<Record<string, number>> = {
      ...{ bool: 1, int8: 1, int16: 2, int32: 4, uint32: 4, int64: 8 },
    };
    const size = sizes[wire.kind];
    if (size !== undefined) this.number(path, typeof hint === 'number' ? hint : 0, size);
    else if (wire.kind === 'struct') this.shape(wire.shape, path);
    else if (wire.kind === 'uuid') {
      this.raw(Buffer.from(typeof hint === 'string' ? hint : ZERO_UUID, 'base64url'));
    } else if (wire.kind === 'array') {
      this.length(path, hint === null ? -1 : 1, 4, isCompact);
      if (hint === null) return;
      this.wire(wire.element, name, path, isCompact, Array.isArray(hint) ? hint[0] : hint);
    } else this.text(path, hint, wire.kind === 'string' ? 2 : 4, isCompact);
  }

  private text(path: string, hint: unknown, lengthBytes: number, isCompact: boolean): void {
    if (hint === null) {
      this.length(path, -1, lengthBytes, isCompact);
      return;
    }
    const bytes = Buffer.isBuffer(hint) ? hint : Buffer.from(typeof hint === 'string' ? hint : '');
    this.length(path, bytes.length, lengthBytes, isCompact);
    this.raw(bytes);
  }
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** A valid request of an API with everything that its schema has. */
export function layoutOf(api: AnyApi, version: number, hints: Hints): Layout {
  const isFlexible = version >= api.flexibleFrom;
  const writer = new LayoutWriter(version, isFlexible, hints);
  writer.raw(Buffer.from([0, api.key, 0, version, 0, 0, 0, 9]));
  writer.raw(Buffer.from([0, 4, ...Buffer.from('evil')]));
  if (isFlexible) writer.raw(Buffer.from([0]));
  writer.shape(api.request.shape, '');
  return writer.layout();
}

/** The borders of a field of `size` bytes, and of what may follow in a frame. */
function borders(size: number, frameBytes: number): bigint[] {
  const max = 2n ** BigInt(size * 8 - 1) - 1n;
  const all = [-max - 1n, -max, -(2n ** 53n), -(2n ** 53n) + 1n, -2n, -1n, 0n, 1n, 2n];
  const beyond = [BigInt(frameBytes), BigInt(frameBytes) + 1n, 2n ** 53n - 1n, 2n ** 53n];
  const values = [...all, ...beyond, max - 1n, max];
  return [...new Set(values)].filter((value) => value >= -max - 1n && value <= max);
}

/** Lengths that a compact string, array or set of tags may pretend to have. */
const compactBorders = [0, 1, 2, 0x7f, 0x80, 0x7fff, 0x8000, 0x7fffffff, 0x80000000, 0xffffffff];

interface Change {
  readonly site: Site;
  readonly bytes: Buffer;
  readonly said: string;
}

/** Every site at every border, one after the other. */
export function changesOf({ bytes, sites }: Layout): Change[] {
  return sites.flatMap((site) => {
    if (site.isCompact) {
      return compactBorders.map((value) => ({ site, bytes: varint(value), said: `${value} - 1` }));
    }
    return borders(site.size, bytes.length - site.at).map((value) => {
      const field = Buffer.alloc(8);
      field.writeBigInt64BE(value);
      return { site, bytes: field.subarray(8 - site.size), said: String(value) };
    });
  });
}

/** The request with these changes; of two at one site the first counts. */
export function hostile(
  api: AnyApi,
  version: number,
  { bytes }: Layout,
  changes: readonly Change[],
): HostileRequest {
  const chunks: Buffer[] = [];
  let at = 0;
  const said: string[] = [];
  for (const change of [...changes].sort((a, b) => a.site.at - b.site.at)) {
    if (change.site.at < at) continue;
    chunks.push(bytes.subarray(at, change.site.at), change.bytes);
    at = change.site.at + change.site.size;
    said.push(`${change.site.path} = ${change.said}`);
  }
  const body = Buffer.concat([...chunks, bytes.subarray(at)]);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  const name = `${api.name} v${version}: ${said.join(', ')}`;
  return { name, frame: Buffer.concat([length, body]) };
}

/** Requests with one text as long as a length can say, whole or of bytes that are no UTF-8. */
export function longTexts(api: AnyApi, version: number, hints: Hints): HostileRequest[] {
  const longest = version >= api.flexibleFrom ? [40_000, 0x7fff] : [0x7fff];
  return textFields(api.request.shape).flatMap((field) =>
    longest.flatMap((size) =>
      [0x78, 0xff].map((fill) => {
        const layout = layoutOf(api, version, { ...hints, [field]: Buffer.alloc(size, fill) });
        const { frame } = hostile(api, version, layout, []);
        return { name: `${api.name} v${version}: ${field} = ${size} bytes of ${fill}`, frame };
      }),
    ),
  );
}

function textFields(shape: Shape): string[] {
  const found = Object.entries(shape).flatMap(([name, { spec }]) => {
    const wire = spec.wire.kind === 'array' ? spec.wire.element : spec.wire;
    if (wire.kind === 'struct') return textFields(wire.shape);
    return wire.kind === 'string' ? [name] : [];
  });
  return [...new Set(found)];
}
