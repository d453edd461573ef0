import type { Constants } from './constants.js';
import { type FieldSpec, fallbackOf, has, type Shape, type WireType } from './field.js';

/** What the emitters know about the message at hand. */
export interface Target {
  readonly version: number;
  /** Compact lengths and tagged fields (KIP-482). */
  readonly flexible: boolean;
  readonly constants: Constants;
}

const FIXED_BYTES: Readonly<Record<string, number>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uuid: 16,
};

/** The fewest bytes a value can take: what bounds the count of an array before it is read. */
function minBytes(wire: WireType, target: Target): number {
  if (wire.kind === 'struct') {
    let sum = target.flexible ? 1 : 0;
    for (const { spec } of Object.values(wire.shape)) {
      if (has(spec, target.version) && spec.tag === undefined) sum += minBytes(spec.wire, target);
    }
    return Math.max(sum, 1);
  }
  if (wire.kind === 'string') return target.flexible ? 1 : 2;
  return FIXED_BYTES[wire.kind] ?? (target.flexible ? 1 : 4);
}

/** The cursor's method for a primitive; reader and writer name them alike. */
export function methodOf(
  wire: WireType,
  options: { readonly compact: boolean; readonly nullable: boolean },
): string {
  if (wire.kind !== 'string' && wire.kind !== 'bytes' && wire.kind !== 'records') return wire.kind;
  const base = wire.kind === 'string' ? 'String' : 'Bytes';
  const name = `${options.compact ? 'compact' : ''}${options.nullable ? 'Nullable' : ''}${base}`;
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** Emits straight-line source that reads one version of a shape; `r` is the Reader. */
export class ReaderEmitter {
  private readonly lines: string[] = [];
  private names = 0;

  constructor(private readonly target: Target) {}

  /** The body of a function `(r) => value`. */
  emit(shape: Shape): string {
    const value = this.struct(shape);
    return `${this.lines.join('\n')}\nreturn ${value};`;
  }

  private name(): string {
    return `v${this.names++}`;
  }

  /** Reads a structure; returns the source of the object. */
  private struct(shape: Shape): string {
    const parts: string[] = [];
    const tagged: { spec: FieldSpec; field: string; variable: string }[] = [];
    for (const [field, { spec }] of Object.entries(shape)) {
      let source = this.target.constants.refer(fallbackOf(spec));
      if (has(spec, this.target.version)) {
        const variable = this.name();
        if (spec.tag === undefined) {
          this.lines.push(`const ${variable} = ${this.value(spec, field)};`);
        } else {
          this.lines.push(`let ${variable} = ${source};`);
          tagged.push({ spec, field, variable });
        }
        source = variable;
      }
      parts.push(`${field}: ${source}`);
    }
    if (this.target.flexible) this.taggedFields(tagged);
    return `{ ${parts.join(', ')} }`;
  }

  private taggedFields(known: { spec: FieldSpec; field: string; variable: string }[]): void {
    if (known.length === 0) {
      this.lines.push('r.skipTaggedFields();');
      return;
    }
    const left = this.name();
    this.lines.push(`for (let ${left} = r.unsignedVarint(); ${left} > 0; ${left}--) {`);
    this.lines.push('const tag = r.unsignedVarint(), end = r.taggedEnd();', 'switch (tag) {');
    for (const { spec, field, variable } of known) {
      this.lines.push(`case ${spec.tag}: {`);
      this.lines.push(
        `${variable} = ${this.value(spec, field)};`,
        'r.closeTagged(end);',
        'break; }',
      );
    }
    this.lines.push('default: r.position = end;', '} }');
  }

  /** Reads a field; returns the source of its value. */
  private value(spec: FieldSpec, field: string): string {
    const { wire } = spec;
    const nullable = this.target.version >= spec.nullableSince;
    if (wire.kind === 'array') return this.array(wire.element, field, nullable);
    if (wire.kind === 'struct') return this.struct(wire.shape);
    const compact = this.target.flexible && !spec.neverCompact;
    return `r.${methodOf(wire, { compact, nullable })}()`;
  }

  private array(element: WireType, field: string, nullable: boolean): string {
    const [count, list, index] = [this.name(), this.name(), this.name()];
    const method = this.target.flexible ? 'compactArrayLength' : 'arrayLength';
    this.lines.push(
      `const ${count} = r.${method}(${minBytes(element, this.target)});`,
      nullable
        ? `const ${list} = ${count} < 0 ? null : [];`
        : `if (${count} < 0) r.missing('${field}'); const ${list} = [];`,
      `for (let ${index} = 0; ${index} < ${count}; ${index}++) {`,
    );
    const value =
      element.kind === 'struct'
        ? this.struct(element.shape)
        : `r.${methodOf(element, { compact: this.target.flexible, nullable: false })}()`;
    this.lines.push(`${list}.push(${value});`, '}');
    return list;
  }
}
