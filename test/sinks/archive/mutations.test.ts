import { describe, expect, it } from 'vitest';
import { enumerations } from './enumeration.js';
import { type Mutation, mutate } from './mutants.js';

const chain = 'archive/claims/chain.ts';
const links = 'archive/claims/links.ts';
const local = 'archive/stores/local.ts';
const effects = 'archive/effects.ts';
const spool = 'archive/spool.ts';
const writer = 'archive/partition-writer.ts';
const intake = 'intake.ts';

/** Each step and rule of the claim chain, taken out; and the enumeration that must notice. */
const mutations: readonly (Mutation & { readonly noticedBy: string })[] = [
  {
    name: 'create-if-absent of a link',
    file: local,
    find: `      await this.#disk.link(path, target);`,
    replace: `      await this.#disk.rename(path, target);`,
    noticedBy: '',
  },
  {
    name: 'the sync of a new claim',
    file: local,
    find: `      await file.sync();`,
    replace: ``,
    noticedBy: '',
  },
  {
    name: 'the sync of the directory that names it',
    file: local,
    find: `    await this.#disk.syncDirectory(dirname(target));`,
    replace: ``,
    noticedBy: '',
  },
  {
    name: 'the sync of directories that are made',
    file: local,
    find: `    if (parent !== path) await this.#disk.syncDirectory(parent);`,
    replace: ``,
    noticedBy: '',
  },
  {
    name: 'the sync of a file before it is published',
    file: 'archive/staged-file.ts',
    find: `    await this.#file.sync();`,
    replace: ``,
    noticedBy: '',
  },
  {
    name: 'the genesis claim',
    file: chain,
    find: `      return work(state, { type: 'createGenesis', start: event.offset });`,
    replace: `      return onListed(state, { type: 'listed', genesis: event.offset, claims: [], dones: new Set() });`,
    noticedBy: '',
  },
  {
    name: 'reading the genesis claim that won',
    file: chain,
    find: `      return work(state, { type: 'list' });
    case 'claimRead'`,
    replace: `      return onListed(state, { type: 'listed', genesis: state.config.rotation.records === 3 ? 7 : 0, claims: [], dones: new Set() });
    case 'claimRead'`,
    noticedBy: '',
  },
  {
    name: 'the claim before publishing',
    file: chain,
    find: `  return work({ ...state, own }, { type: 'createClaim', claim: own });`,
    replace: `  return work({ ...state, claim: own, own }, { type: 'publish', claim: own });`,
    noticedBy: '',
  },
  {
    name: 'reading the claim that won',
    file: chain,
    find: `      return work(state, { type: 'readClaim', start: state.position });`,
    replace: `      return work({ ...state, claim: state.own }, { type: 'publish', claim: state.own as Claim });`,
    noticedBy: '',
  },
  {
    name: 'taking the claim of the winner for the own only where it decides the same',
    file: chain,
    find: `state.own !== undefined && sameDecision(state.own, claim)`,
    replace: `state.own !== undefined`,
    noticedBy: '',
  },
  {
    name: 'cutting the spool where the winner cut it',
    file: chain,
    find: `encode(state, claim.start, claim.end, claim.settings)`,
    replace: `encode(state, claim.start, spool.position - 1, claim.settings)`,
    noticedBy: '',
  },
  {
    name: 'finishing with the settings of the claim',
    file: chain,
    find: `encode(state, claim.start, claim.end, claim.settings)`,
    replace: `encode(state, claim.start, claim.end, state.config.settings)`,
    noticedBy: '',
  },
  {
    name: 'reading what the spool lacks of a claim',
    file: chain,
    find: `  if (spool.position > claim.end) return encode`,
    replace: `  if (spool.position >= claim.start) return encode`,
    noticedBy: '',
  },
  {
    name: 'comparing what was encoded with the claim',
    file: chain,
    find: `  if (sameFiles(files, claim.files)) return work`,
    replace: `  return work`,
    noticedBy: '',
  },
  {
    name: 'filling the spool anew where it differs from the claim',
    file: chain,
    find: `  if (!state.refilled) {`,
    replace: `  if (false) {`,
    noticedBy: '',
  },
  {
    name: 'looking which files are there already',
    file: chain,
    find: `verdict === 'complete' ? confirm(state, false) : openSpool(state)`,
    replace: `openSpool(state)`,
    noticedBy: '',
  },
  {
    name: 'publishing',
    file: chain,
    find: `  if (sameFiles(files, claim.files)) return work(state, { type: 'publish', claim });`,
    replace: `  if (sameFiles(files, claim.files)) return confirm(state, false);`,
    noticedBy: '',
  },
  {
    name: 'publishing every file',
    file: effects,
    find: `for (const { path, file } of this.#encoded) await`,
    replace: `for (const { path, file } of this.#encoded.slice(0, 1)) await`,
    noticedBy: '',
  },
  {
    name: 'reading back',
    file: effects,
    find: `      else return conflict('READ_BACK', file.name, 'it vanished after it was published');`,
    replace: ``,
    noticedBy: '',
  },
  {
    name: 'done',
    file: chain,
    find: `      return confirm(state, false);
    case 'confirmed'`,
    replace: `      return onConfirmed(state);
    case 'confirmed'`,
    noticedBy: '',
  },
  {
    name: 'the commit',
    file: chain,
    find: `  if (state.committed !== position) return work`,
    replace: `  if (false) return work`,
    noticedBy: '',
  },
  {
    name: 'committing the end and one',
    file: chain,
    find: `  const position = claim.end + 1;`,
    replace: `  const position = claim.end;`,
    noticedBy: '',
  },
  {
    name: 'passing over claims that are done',
    file: chain,
    find: `  if (done) {`,
    replace: `  if (false) {`,
    noticedBy: '',
  },
  {
    name: 'finishing unfinished claims first',
    file: chain,
    find: `  if (done) {`,
    replace: `  if (done || state.own === undefined) {`,
    noticedBy: '',
  },
  {
    name: 'walking the chain from the first claim without done',
    file: chain,
    find: `claims.find((start) => !dones.has(start)) ?? last ?? genesis`,
    replace: `last ?? genesis`,
    noticedBy: '',
  },
  {
    name: 'noticing that a claim is missing',
    file: chain,
    find: `  if (lastListed > position) {`,
    replace: `  if (false) {`,
    noticedBy: '',
  },
  {
    name: 'the alarm when retention has passed',
    file: chain,
    find: `  if (!config.acceptGap) {`,
    replace: `  if (false) {`,
    noticedBy: '',
  },
  {
    name: 'a claim for the gap that was accepted',
    file: chain,
    find: `  return tryClaim(state, 'gap', position, logStart - 1, [], now);`,
    replace: `  return tryClaim(state, 'gap', position, logStart, [], now);`,
    noticedBy: '',
  },
  {
    name: 'cutting what is spooled before a gap',
    file: chain,
    find: `  if (claim === undefined && position > spool.start) return cut(state);`,
    replace: ``,
    noticedBy: '',
  },
  {
    name: 'cutting again where a torn claim had published',
    file: chain,
    find: `  if (mustEnd !== undefined) return spool.position > mustEnd;`,
    replace: ``,
    noticedBy: '',
  },
  {
    name: 'starting the chain over after a failure',
    file: chain,
    find: `now >= state.retryAt) return open(state);`,
    replace: `now >= state.retryAt && state.spool === undefined) return open(state);`,
    noticedBy: '',
  },
  {
    name: 'passing over torn links',
    file: links,
    find: `      if (link !== undefined) return { link, torn: variant > 0 };`,
    replace: `      return { link, torn: variant > 0 };`,
    noticedBy: '',
  },
  {
    name: 'making a link again where it is torn',
    file: links,
    find: `      if (bytes !== undefined && decode(bytes) !== undefined) return;`,
    replace: `      return;`,
    noticedBy: '',
  },
  {
    name: 'the check of a spool chunk',
    file: spool,
    find: `  return isChunkIntact(chunk, header) ? chunk : undefined;`,
    replace: `  return chunk;`,
    noticedBy: '',
  },
  {
    name: 'dropping a spool that begins elsewhere',
    file: spool,
    find: `    const name = \`\${offsetName(start)}.spool\`;`,
    replace: `    const name = 'the.spool';`,
    noticedBy: '',
  },
  {
    name: 'the check where a spool begins',
    file: spool,
    find: `header?.start !== start`,
    replace: `header === undefined`,
    noticedBy: '',
  },
  {
    name: 'taking over the open spool only where it begins at the position',
    file: effects,
    find: `fresh || this.spool?.level.start !== start`,
    replace: `fresh || this.spool === undefined`,
    noticedBy: '',
  },
  {
    name: 'passing over records that are in the spool already',
    file: spool,
    find: `      if (records.offset < position) continue;`,
    replace: ``,
    noticedBy: '',
  },
  {
    name: 'refusing records that leave a hole',
    file: intake,
    find: `records.fetchOffset > this.#to || `,
    replace: ``,
    noticedBy: '',
  },
  {
    name: 'seeking',
    file: intake,
    find: `    if (!fits) {`,
    replace: `    if (this.#to === -1) {`,
    noticedBy: '',
  },
  {
    name: 'leaving a claim alone that is longer than the rotation',
    file: writer,
    find: `    if (until !== undefined) return { until, records: undefined, sizeBytes: Infinity };`,
    replace: ``,
    noticedBy: '',
  },
  {
    name: 'finding the files that a torn claim had published',
    file: effects,
    find: `torn ? await this.#publishedEnd(start) : undefined`,
    replace: `undefined`,
    noticedBy: '',
  },
];

describe('the enumerations notice when the claim chain lacks', () => {
  it.skipIf(process.env.FIND !== undefined).each(mutations)('$name', async (mutation) => {
    const enumerate = enumerations[mutation.noticedBy];
    await expect(enumerate?.(mutate(mutation))).rejects.toThrow();
  });
  it.runIf(process.env.FIND !== undefined)(
    'find',
    async () => {
      for (const mutation of mutations.slice(Number(process.env.FIND))) {
        const noticed: string[] = [];
        for (const [name, enumerate] of Object.entries(enumerations)) {
          const begin = performance.now();
          try {
            await enumerate(mutate(mutation));
          } catch (error) {
            noticed.push(
              `${name} (${Math.round(performance.now() - begin)} ms): ${String(error).slice(0, 130)}`,
            );
            break;
          }
        }
        console.log(`${mutation.name}\n   ${noticed.join('\n   ') || '-- NOBODY --'}`);
      }
    },
    900_000,
  );
});
