import * as zod from 'zod';

/**
 * What the project uses of zod. Named one by one, so that the build leaves out the rest, which is
 * most of it: every role loads this.
 */
export const z = {
  NEVER: zod.NEVER,
  array: zod.array,
  boolean: zod.boolean,
  clone: zod.clone,
  discriminatedUnion: zod.discriminatedUnion,
  enum: zod.enum,
  globalRegistry: zod.globalRegistry,
  int: zod.int,
  literal: zod.literal,
  never: zod.never,
  number: zod.number,
  object: zod.object,
  prettifyError: zod.prettifyError,
  record: zod.record,
  registry: zod.registry,
  safeParse: zod.safeParse,
  strictObject: zod.strictObject,
  string: zod.string,
  union: zod.union,
  unknown: zod.unknown,
  url: zod.url,
};

/** zod's types that are written beside its values. */
export declare namespace z {
  type output<S> = zod.output<S>;
  type ZodShape = zod.core.$ZodShape;
  type ZodType<Output = unknown, Input = unknown> = zod.ZodType<Output, Input>;
  type ZodObject<Shape extends zod.core.$ZodShape = zod.core.$ZodShape> = zod.ZodObject<Shape>;
}
