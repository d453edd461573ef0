import { describe, expect, it } from 'vitest';
import { enumerations } from './enumeration.js';
import { type Mutation, mutate } from './mutants.js';

const chain = 'archive/claims/chain.ts';
const links = 'archive/claims/links.ts';
const local = 'archive/stores/local.ts';
const effects = 'archive/effects.ts';
const spool = 'archive/spool.ts';
const intake = 'intake.ts';

/** Each step and rule of the claim chain, taken out; and the enumeration that must notice. */
const mutations: readonly (Mutation & { readonly noticedBy: string })[] = [
  {
    name: 'create-if-absent of a link',
    file: local,
    find: `      await this.#disk.link(path, target);`,
    replace: `      await this.#disk.rename(path, target);`,
    noticedBy: 'two owners at once',
  },
  {
    name: 'the sync of a new claim',
    file: local,
    find: `      await file.sync();`,
    replace: ``,
    noticedBy: 'a power cut at any step',
  },
  {
    name: 'the sync of the directory that names it',
    file: local,
    find: `      await this.#disk.syncDirectory(directory);`,
    replace: ``,
    noticedBy: 'a power cut at any step',
  },
  {
    name: 'the sync of directories that are made',
    file: local,
    find: `    if (parent !== path) await this.#disk.syncDirectory(parent);`,
    replace: ``,
    noticedBy: 'a power cut at any step',
  },
  {
    name: 'the sync of a file before it is published',
    file: 'archive/staged-file.ts',
    find: `    await this.#file.sync();`,
    replace: ``,
    noticedBy: 'a power cut at any step',
  },
  {
    name: 'the genesis claim',
    file: chain,
    find: `      return work(state, { type: 'createGenesis', start: event.offset });`,
    replace: `      return onListed(state, { type: 'listed', genesis: event.offset, claims: [], dones: new Set() });`,
    noticedBy: 'retention passed the claim, spool lost',
  },
  {
    name: 'reading the genesis claim that won',
    file: chain,
    find: `      return work(state, { type: 'list' });
    case 'claimRead'`,
    replace: `      return onListed(state, { type: 'listed', genesis: state.config.rotation.records === 3 ? 7 : 0, claims: [], dones: new Set() });
    case 'claimRead'`,
    noticedBy: 'a crash, and another machine takes over',
  },
  {
    name: 'the claim before publishing',
    file: chain,
    find: `  return work(state, { type: 'createClaim', claim: own });`,
    replace: `  state.claim = own;\n  return work(state, { type: 'publish', claim: own });`,
    noticedBy: 'two owners at once',
  },
  {
    name: 'reading the claim that won',
    file: chain,
    find: `      return work(state, { type: 'readClaim', start: state.position });`,
    replace: `      state.claim = state.own as Claim;
      return work(state, { type: 'publish', claim: state.own as Claim });`,
    noticedBy: 'two owners at once',
  },
  {
    name: 'taking the claim of the winner for the own only where it decides the same',
    file: chain,
    find: `state.own !== undefined && sameDecision(state.own, claim)`,
    replace: `state.own !== undefined`,
    noticedBy: 'two owners at once',
  },
  {
    name: 'cutting the spool where the winner cut it',
    file: chain,
    find: `    const { start, end, settings } = claim;`,
    replace: `    const { start, settings } = claim;\n    const end = spool.position - 1;`,
    noticedBy: 'retention behind a winner that died',
  },
  {
    name: 'finishing with the settings of the claim',
    file: chain,
    find: `    const { start, end, settings } = claim;`,
    replace: `    const { start, end } = claim;\n    const { settings } = state.config;`,
    noticedBy: 'a crash, and other settings',
  },
  {
    name: 'reading what the spool lacks of a claim',
    file: chain,
    find: `  if (spool.position > claim.end) {`,
    replace: `  if (spool.position >= claim.start) {`,
    noticedBy: 'a power cut at any step',
  },
  {
    name: 'comparing what was encoded with the claim',
    file: chain,
    find: `  if (sameFiles(files, claim.files)) return work`,
    replace: `  return work`,
    noticedBy: 'a topic rewritten behind a spool',
  },
  {
    name: 'filling the spool anew where it differs from the claim',
    file: chain,
    find: `  if (!state.refilled) {`,
    replace: `  if (false) {`,
    noticedBy: 'a topic rewritten behind a spool',
  },
  {
    name: 'looking which files are there already',
    file: chain,
    find: `verdict === 'complete' ? confirm(state, false) : openSpool(state)`,
    replace: `openSpool(state)`,
    noticedBy: 'retention behind a complete claim',
  },
  {
    name: 'publishing',
    file: chain,
    find: `  if (sameFiles(files, claim.files)) return work(state, { type: 'publish', claim });`,
    replace: `  if (sameFiles(files, claim.files)) return confirm(state, false);`,
    noticedBy: 'a crash at any step',
  },
  {
    name: 'publishing every file',
    file: effects,
    find: `for (const { path, file } of this.#encoded) await`,
    replace: `for (const { path, file } of this.#encoded.slice(0, 1)) await`,
    noticedBy: 'two owners at once',
  },
  {
    name: 'reading back',
    file: effects,
    find: `      else return conflict('READ_BACK', file.name, 'it vanished after it was published');`,
    replace: ``,
    noticedBy: 'a store that forgets a file',
  },
  {
    name: 'done',
    file: chain,
    find: `      return confirm(state, false);
    case 'confirmed'`,
    replace: `      return onConfirmed(state);
    case 'confirmed'`,
    noticedBy: 'a crash at any step',
  },
  {
    name: 'the commit',
    file: chain,
    find: `  if (state.committed !== position) return work`,
    replace: `  if (false) return work`,
    noticedBy: 'two owners at once',
  },
  {
    name: 'committing the end and one',
    file: chain,
    find: `  const position = claim.end + 1;`,
    replace: `  const position = claim.end;`,
    noticedBy: 'two owners at once',
  },
  {
    name: 'passing over claims that are done',
    file: chain,
    find: `  if (done) {`,
    replace: `  if (false) {`,
    noticedBy: 'files that were moved away',
  },
  {
    name: 'finishing unfinished claims first',
    file: chain,
    find: `  if (done) {`,
    replace: `  if (done || state.own === undefined) {`,
    noticedBy: 'a crash at any step',
  },
  {
    name: 'walking the chain from the first claim without done',
    file: chain,
    find: `claims.find((start) => !dones.has(start)) ?? last ?? genesis`,
    replace: `last ?? genesis`,
    noticedBy: 'a claim that was removed',
  },
  {
    name: 'noticing a done without its claim',
    file: chain,
    find: `  if (removed !== undefined && last !== undefined) {`,
    replace: `  if (false) {`,
    noticedBy: 'a claim that was removed',
  },
  {
    name: 'noticing that a claim is missing',
    file: chain,
    find: `  if (lastListed > position) {`,
    replace: `  if (false) {`,
    noticedBy: 'a claim that was removed',
  },
  {
    name: 'the alarm when retention has passed',
    file: chain,
    find: `  if (!config.acceptGap) {`,
    replace: `  if (false) {`,
    noticedBy: 'retention passed the claim, spool lost',
  },
  {
    name: 'a claim for the gap that was accepted',
    file: chain,
    find: `  return tryClaim(state, 'gap', position, logStart - 1, []);`,
    replace: `  return tryClaim(state, 'gap', position, logStart, []);`,
    noticedBy: 'retention beyond a spool, accepted',
  },
  {
    name: 'cutting what is spooled before a gap',
    file: chain,
    find: `  if (claim === undefined && position > spool.start) return cut(state);`,
    replace: `  if (claim === undefined && config.acceptGap)
      return tryClaim(state, 'gap', spool.start, logStart - 1, [], now);`,
    noticedBy: 'retention beyond a spool, accepted',
  },
  {
    name: 'starting the chain over after a failure',
    file: chain,
    find: `now >= state.retryAt) return open(state);`,
    replace: `now >= state.retryAt && state.spool === undefined) return open(state);`,
    noticedBy: 'a lost answer at any step',
  },
  {
    name: 'passing over torn links',
    file: links,
    find: `      if (link !== undefined) return { link, torn: variant > 0 };`,
    replace: `      return { link, torn: variant > 0 };`,
    noticedBy: 'an empty claim',
  },
  {
    name: 'making a link again where it is torn',
    file: links,
    find: `      if (bytes !== undefined && decode(bytes) !== undefined) return;`,
    replace: `      return;`,
    noticedBy: 'an empty claim',
  },
  {
    name: 'the check of a spool chunk',
    file: spool,
    find: `return isChunkIntact(bytes, header) ? chunk : undefined;`,
    replace: `return chunk;`,
    noticedBy: 'a damaged spool',
  },
  {
    name: 'dropping a spool that begins elsewhere',
    file: spool,
    find: `    const name = \`\${offsetName(start)}.spool\`;`,
    replace: `    const name = 'the.spool';`,
    also: { find: `header?.start !== start`, replace: `header === undefined` },
    noticedBy: 'two owners at once',
  },
  {
    name: 'taking over the open spool only where it begins at the position',
    file: effects,
    find: `fresh || this.spool?.level.start !== start`,
    replace: `fresh || this.spool === undefined`,
    noticedBy: 'two owners at once',
  },
  {
    name: 'refusing records that leave a hole',
    file: intake,
    find: `records.fetchOffset > this.#to || `,
    replace: ``,
    noticedBy: 'retention beyond a writer that reads',
  },
  {
    name: 'seeking',
    file: intake,
    find: `    if (!fits) {`,
    replace: `    if (this.#to === -1) {`,
    noticedBy: 'two owners at once',
  },
  {
    name: 'finding the files that a torn claim had published',
    file: effects,
    find: `torn ? await this.#publishedEnd(start) : undefined`,
    replace: `undefined`,
    noticedBy: 'a torn claim',
  },
];

describe('the enumerations notice when the claim chain lacks', () => {
  it.each(mutations)('$name', async (mutation) => {
    const enumerate = enumerations[mutation.noticedBy];
    if (enumerate === undefined) throw new Error(`there is no "${mutation.noticedBy}"`);
    await expect(enumerate(mutate(mutation))).rejects.toThrow();
  });

  it('nothing: the sources as they are pass', async () => {
    await enumerations['two owners at once']?.(mutate(undefined));
  });
});
