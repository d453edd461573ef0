import { z } from './zod.js';

/** The options of a component: a mapping. Unknown keys are refused, whatever the schema says. */
export type OptionsSchema = z.ZodObject;

/**
 * One type of source, interceptor, sink, store or format. It stands in the list of its kind, and
 * nobody else knows it: what another room wants of it, its kind asks of every component.
 */
export interface Component<Schema extends OptionsSchema, Context, Made> {
  /** How the YAML names it: `type: <this>`. */
  readonly type: string;
  /**
   * Its own options, with words for the reference pages. `type`, and what all components of the
   * kind are asked, is added by the list.
   */
  readonly schema: Schema;
  /** Makes one. `options` have passed `schema`. */
  create(options: z.output<Schema>, context: Context): Made;
  /** A whole YAML file that shows it, for its page of the reference. */
  readonly example?: string;
}

/** A component as its list holds it: of which options, only itself knows. */
export type AnyComponent = Component<OptionsSchema, never, unknown>;

/** Checked options of some component of a kind: who made them is told by `type`. */
export type ComponentOptions = { readonly type: string } & Readonly<Record<string, unknown>>;

/**
 * The schema of one component in the YAML: `type` decides which of the list it is.
 *
 * @param shared options that all components of the kind are asked
 * @param order where the reference pages have these: before a component's own, or behind
 */
export function oneOf<Shared extends z.ZodShape>(
  components: readonly AnyComponent[],
  shared: Shared,
  order: 'sharedFirst' | 'sharedLast' = 'sharedLast',
): z.ZodType<ComponentOptions & z.output<z.ZodObject<Shared>>> {
  const [first, ...others] = components.map(({ type, schema, example }) => {
    const own = schema._zod.def.shape;
    const all = order === 'sharedFirst' ? { ...shared, ...own } : { ...own, ...shared };
    const shape = { type: z.literal(type), ...all };
    // A copy keeps what the component checks over its options, and is of the zod that made it.
    const whole = z.clone(schema, { ...schema._zod.def, shape, catchall: z.never() });
    const { description } = schema;
    z.globalRegistry.add(whole, {
      ...(description !== undefined && { description }),
      ...(example !== undefined && { example }),
    });
    return whole;
  });
  if (first === undefined) throw new Error('a kind needs a component');
  const union: z.ZodType = z.discriminatedUnion('type', [first, ...others]);
  // What each alternative gives besides is known to its component alone.
  return union as z.ZodType<ComponentOptions & z.output<z.ZodObject<Shared>>>;
}

/** The component that made these options. */
export function componentOf<Kind extends AnyComponent>(
  components: readonly Kind[],
  { type }: { readonly type: string },
): Kind {
  const found = components.find((component) => component.type === type);
  // The options were checked against the same list.
  if (found === undefined) throw new Error(`there is no component of type ${type}`);
  return found;
}

/** A component could not be made; the message names it and says why. */
export class ComponentError extends Error {
  override readonly name = 'ComponentError';
  readonly code = 'COMPONENT';
}

/**
 * What `create` of a component gives. Throws ComponentError where it throws, or gives no object.
 *
 * @param what the component as people know it: `the interceptor host of source app`
 */
export function made<T extends object>(what: string, create: () => T): T {
  let result: unknown;
  try {
    result = create();
  } catch (cause) {
    // One with a code is told as it is: what it says was made for people.
    if (cause instanceof Error && 'code' in cause) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ComponentError(`${what} cannot be made: ${why}`, { cause });
  }
  if (typeof result === 'object' && result !== null) return result as T;
  throw new ComponentError(`${what} cannot be made: its create gives nothing`);
}
