import { createRequire, Module } from 'node:module';
import type * as zod from 'zod';

const require = createRequire(import.meta.url);

// Every entry of zod loads its fifty languages: half its files, and none of them is ours to speak.
const languages = require.resolve('zod/v4/locales');
require.cache[languages] ??= Object.assign(new Module(languages), { loaded: true });

/**
 * zod for the whole project. It is required, as every CommonJS package is that a role starts with:
 * that takes half the time of an import.
 */
export const z = require('zod') as typeof zod;

/** zod's types that are written beside its values. */
export declare namespace z {
  type output<S> = zod.output<S>;
  type ZodType<Output = unknown, Input = unknown> = zod.ZodType<Output, Input>;
  type ZodObject<Shape extends zod.core.$ZodShape = zod.core.$ZodShape> = zod.ZodObject<Shape>;
}
