import { Constants } from './constants.js';
import { ReaderEmitter } from './emit-reader.js';
import { WriterEmitter } from './emit-writer.js';
import { ProtocolError } from './error.js';
import type { ReadShape, Shape, WriteShape } from './field.js';
import { Reader } from './reader.js';
import { Writer } from './writer.js';

/** Reads and writes all versions of one message. `W` may leave out what has a default. */
export interface Schema<R, W = R> {
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
  /** First version with compact lengths and tagged fields; Infinity where there is none. */
  readonly flexibleFrom: number;
  readonly shape: Shape;
  /**
   * Reads the message at `offset`; bytes after it are ignored. Throws ProtocolError: TOO_LARGE
   * also where its arrays have more than `maxElements` together, for an element of one byte can
   * become an object of a hundred.
   */
  read(frame: Buffer, offset: number, version: number, maxElements?: number): R;
  /** As `read`, and says where the message ends. */
  readPrefix(
    frame: Buffer,
    offset: number,
    version: number,
    maxElements?: number,
  ): { value: R; end: number };
  /** The message's bytes; large byte fields travel as slices of their own, uncopied. */
  write(value: W, version: number): Uint8Array[];
  /** Appends the message to one that is being built. */
  writeInto(writer: Writer, value: W, version: number): void;
}

/** What a schema's objects look like after reading. */
export type Read<S> = S extends Schema<infer R, never> ? R : never;
/** What a schema's objects may look like for writing. */
export type Write<S> = S extends Schema<infer _R, infer W> ? W : never;

/** The versions of a message and when it became flexible (`none` as in Kafka's files). */
export interface Versions {
  readonly versions: readonly [min: number, max: number];
  readonly flexibleFrom: number | 'none';
}

type ReadFunction = (reader: Reader) => unknown;
type WriteFunction = (writer: Writer, value: unknown) => void;

/** The one scratch writer: messages are written synchronously, one after the other. */
export const sharedWriter = new Writer();

/** The one place that turns text into code. The text comes from schemas alone, never from input. */
function compile(parameters: readonly string[], body: string, constants: Constants): unknown {
  const source = `'use strict'; return (${parameters.join(', ')}) => {\n${body}\n};`;
  return new Function('d', source)(constants.values);
}

/** A message whose object type follows from its shape. */
export function message<S extends Shape>(
  name: string,
  { versions: [minVersion, maxVersion], flexibleFrom }: Versions,
  shape: S,
): Schema<ReadShape<S>, WriteShape<S>> {
  return new CompiledSchema<ReadShape<S>, WriteShape<S>>(
    name,
    minVersion,
    maxVersion,
    flexibleFrom === 'none' ? Number.POSITIVE_INFINITY : flexibleFrom,
    shape,
  );
}

class CompiledSchema<R, W> implements Schema<R, W> {
  /** By version, compiled on first use. */
  private readonly readers: ReadFunction[] = [];
  private readonly writers: WriteFunction[] = [];

  constructor(
    readonly name: string,
    readonly minVersion: number,
    readonly maxVersion: number,
    readonly flexibleFrom: number,
    readonly shape: Shape,
  ) {}

  read(frame: Buffer, offset: number, version: number, maxElements?: number): R {
    return this.readPrefix(frame, offset, version, maxElements).value;
  }

  readPrefix(
    frame: Buffer,
    offset: number,
    version: number,
    maxElements?: number,
  ): { value: R; end: number } {
    const read = this.readers[version] ?? this.compileReader(version);
    const reader = new Reader(frame, offset, frame.length, maxElements);
    const value = read(reader) as R;
    return { value, end: reader.position };
  }

  write(value: W, version: number): Uint8Array[] {
    sharedWriter.begin();
    this.writeInto(sharedWriter, value, version);
    return sharedWriter.finish();
  }

  writeInto(writer: Writer, value: W, version: number): void {
    const write = this.writers[version] ?? this.compileWriter(version);
    try {
      write(writer, value);
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      const what = `${this.name} v${version} cannot be written: ${reason}`;
      throw new ProtocolError('OUT_OF_RANGE', what, { cause: error });
    }
  }

  private compileReader(version: number): ReadFunction {
    const target = this.target(version);
    const body = new ReaderEmitter(target).emit(this.shape);
    const read = compile(['r'], body, target.constants) as ReadFunction;
    this.readers[version] = read;
    return read;
  }

  private compileWriter(version: number): WriteFunction {
    const target = this.target(version);
    const body = new WriterEmitter(target).emit(this.shape);
    const write = compile(['w', 'v'], body, target.constants) as WriteFunction;
    this.writers[version] = write;
    return write;
  }

  private target(version: number) {
    if (!Number.isInteger(version) || version < this.minVersion || version > this.maxVersion) {
      const range = `${this.minVersion} to ${this.maxVersion}`;
      throw new ProtocolError(
        'UNSUPPORTED_VERSION',
        `${this.name} has the versions ${range}, not ${version}`,
      );
    }
    return { version, flexible: version >= this.flexibleFrom, constants: new Constants() };
  }
}
