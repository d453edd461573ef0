import { methodOf, type Target } from './emit-reader.js';
import { type FieldSpec, fallbackOf, has, type Shape, type WireType } from './field.js';

/** Emits straight-line source that writes one version of a shape; `w` is the Writer. */
export class WriterEmitter {
  private readonly lines: string[] = [];
  private names = 0;

  constructor(private readonly target: Target) {}

  /** The body of a function `(w, v) => void`. */
  emit(shape: Shape): string {
    this.struct(shape, 'v');
    return this.lines.join('\n');
  }

  private name(): string {
    return `x${this.names++}`;
  }

  private struct(shape: Shape, source: string): void {
    const tagged: { spec: FieldSpec; field: string; variable: string }[] = [];
    for (const [field, { spec }] of Object.entries(shape)) {
      if (!has(spec, this.target.version)) continue;
      const variable = this.read(spec, `${source}.${field}`);
      if (spec.tag === undefined) this.value(spec, field, variable);
      else tagged.push({ spec, field, variable });
    }
    if (this.target.flexible) this.taggedFields(tagged);
  }

  /** Puts a field's value, or its default where it was left out, into a variable. */
  private read(spec: FieldSpec, source: string): string {
    const variable = this.name();
    const fallback = spec.optional ? this.target.constants.refer(fallbackOf(spec)) : '';
    this.lines.push(
      spec.optional
        ? `const ${variable} = ${source} === undefined ? ${fallback} : ${source};`
        : `const ${variable} = ${source};`,
    );
    return variable;
  }

  private taggedFields(fields: { spec: FieldSpec; field: string; variable: string }[]): void {
    if (fields.length === 0) {
      this.lines.push('w.unsignedVarint(0);');
      return;
    }
    const present = fields.map(({ spec, variable }) => {
      const flag = this.name();
      this.lines.push(`const ${flag} = ${this.differs(spec, variable)};`);
      return flag;
    });
    this.lines.push(`w.unsignedVarint(${present.map((flag) => `(${flag} ? 1 : 0)`).join(' + ')});`);
    const order = fields.map((_, i) => i);
    order.sort((a, b) => Number(fields[a]?.spec.tag) - Number(fields[b]?.spec.tag));
    for (const i of order) {
      const { spec, field, variable } = fields[i] as (typeof fields)[number];
      const mark = this.name();
      this.lines.push(`if (${present[i]}) { const ${mark} = w.beginTagged(${spec.tag});`);
      this.value(spec, field, variable);
      this.lines.push(`w.endTagged(${mark}); }`);
    }
  }

  /** Source of a condition: whether the value is not the field's default. */
  private differs(spec: FieldSpec, variable: string): string {
    const fallback = fallbackOf(spec);
    if (fallback === null) return `${variable} !== null`;
    if (spec.wire.kind === 'struct') {
      const fields = Object.entries(spec.wire.shape).map(([name, inner]) => {
        const source = `${variable}.${name}`;
        const differs = this.differs(inner.spec, source);
        return inner.spec.optional ? `(${source} !== undefined && ${differs})` : differs;
      });
      return fields.join(' || ');
    }
    if (typeof fallback === 'object') return `${variable} === null || ${variable}.length !== 0`;
    return `${variable} !== ${this.target.constants.refer(fallback)}`;
  }

  private value(spec: FieldSpec, field: string, variable: string): void {
    const { wire } = spec;
    const nullable = this.target.version >= spec.nullableSince;
    if (!nullable && spec.nullableSince !== Number.POSITIVE_INFINITY) {
      this.lines.push(`if (${variable} === null) w.missing('${field}');`);
    }
    if (wire.kind === 'array') this.array(wire.element, variable, nullable);
    else if (wire.kind === 'struct') this.struct(wire.shape, variable);
    else {
      const compact = this.target.flexible && !spec.neverCompact;
      this.lines.push(`w.${methodOf(wire, { compact, nullable })}(${variable});`);
    }
  }

  private array(element: WireType, list: string, nullable: boolean): void {
    const length = this.target.flexible ? 'compactArrayLength' : 'arrayLength';
    const count = nullable ? `${list} === null ? -1 : ${list}.length` : `${list}.length`;
    const [index, item] = [this.name(), this.name()];
    this.lines.push(`w.${length}(${count});`);
    if (nullable) this.lines.push(`if (${list} !== null)`);
    this.lines.push(`for (let ${index} = 0; ${index} < ${list}.length; ${index}++) {`);
    this.lines.push(`const ${item} = ${list}[${index}];`);
    if (element.kind === 'struct') this.struct(element.shape, item);
    else {
      const method = methodOf(element, { compact: this.target.flexible, nullable: false });
      this.lines.push(`w.${method}(${item});`);
    }
    this.lines.push('}');
  }
}
