import { describe, expect, it } from 'vitest';
import { type Mutation, mutate } from './mutants.js';
import { enumerate } from './scenarios.js';

const adoption = 'sources/file/adoption.ts';
const identity = 'sources/file/identity.ts';
const examine = 'sources/file/examine.ts';
const reader = 'sources/file/file-reader.ts';
const handover = 'sources/file/handover.ts';
const outcomes = 'sources/file/outcomes.ts';
const visits = 'sources/file/visits.ts';
const files = 'sources/file/open-files.ts';
const acknowledgements = 'sources/file/acknowledgements.ts';

/** Each rule of the positions and of identity, taken out; and the scenario that must notice. */
const mutations: readonly (Mutation & { readonly noticedBy: string })[] = [
  {
    name: 'positions move only on acknowledgement',
    file: files,
    find: `storeGeneration(generation, route.acknowledgements.acknowledged)`,
    replace: `storeGeneration(generation, generation.place)`,
    noticedBy: 'acknowledgements out of order',
  },
  {
    name: 'positions cover a contiguous prefix',
    file: acknowledgements,
    find: `    while (this.#deliveries[done]?.outstanding === 0) done++;`,
    replace: `    done = this.#deliveries.findLastIndex((one) => one.outstanding === 0) + 1;`,
    noticedBy: 'acknowledgements out of order',
  },
  {
    name: 'a batch that failed is read again',
    file: outcomes,
    find: `    this.#failed.add(generation);`,
    replace: ``,
    noticedBy: 'a batch that is refused',
  },
  {
    name: 'positions are stored while they move',
    file: outcomes,
    find: `    this.context.chain.delivered(records, true);
    this.context.positions.changed();`,
    replace: ``,
    noticedBy: 'truncation and more than before',
  },
  {
    name: 'the first bytes are compared',
    file: examine,
    find: `      if (hashOf(fingerprint.bytes) === fingerprint.hash) alike.push(generation);`,
    replace: `      alike.push(generation);`,
    noticedBy: 'an inode used again, with the same last KiB',
  },
  {
    name: 'the bytes before the position are compared',
    file: examine,
    find: `    if (!agrees(tail, bytes, 0)) return 'different';`,
    replace: ``,
    noticedBy: 'a stranger with the same first KiB beside a truncation',
  },
  {
    name: 'each read looks whether the bytes before it are still the same',
    file: reader,
    find: `    if (!holdsWhatWasSeen(this.generation, content)) return undefined;`,
    replace: ``,
    noticedBy: 'copy and truncation with lines unread',
  },
  {
    name: 'a short file is a copy only of what its bytes are compared with',
    file: examine,
    find: `      if (first?.equals(head)) likeness.set(id, 'unclear');`,
    replace: `      if (first?.equals(head) ?? true) likeness.set(id, 'unclear');`,
    noticedBy: 'a short file that comes and goes unseen while its elder is deleted',
  },
  {
    name: 'the beginning of a copy stays that when its original is cut',
    file: identity,
    find: `(found.missed && !candidate && !found.isSent)`,
    replace: `(found.missed && !candidate)`,
    noticedBy: 'a short copy of a file that had grown before it was first seen',
  },
  {
    name: 'a file that shrinks is cut',
    file: identity,
    find: `  if (generation.state === 'reading' && event.size < generation.size) {`,
    replace: `  if (false) {`,
    noticedBy: 'truncation of a file that is not read up, with equal lines',
  },
  {
    name: 'fingerprints of short files',
    file: reader,
    find: `markOf(content, 0, Math.min(content.length, markBytes))`,
    replace: `markOf(content, 0, content.length < markBytes ? 0 : markBytes)`,
    noticedBy: 'small files that grow',
  },
  {
    name: 'a file that was cut is not what it was',
    file: adoption,
    find: `  if (found.replaces === known.id) return false;`,
    replace: ``,
    noticedBy: 'truncation, then the same as before and more',
  },
  {
    name: 'a few equal bytes prove nothing',
    file: adoption,
    find: `  return like !== 'unclear' && known.fingerprint.bytes === markBytes;`,
    replace: `  return like !== 'unclear';`,
    noticedBy: 'deletion and creation with the same first line',
  },
  {
    name: 'a copy takes the place of what has vanished',
    file: adoption,
    find: `  if (like === 'same') return true;`,
    replace: `  if (like === 'same') return found.inode === known.inode;`,
    noticedBy: 'copy and truncation with lines unread',
  },
  {
    name: 'only of what has vanished',
    file: adoption,
    find: `  if (like === 'same' && known.state === 'reading') return known.unlinked && known.drained;`,
    replace: ``,
    noticedBy: 'a copy of a file that has lost its name and is not read up',
  },
  {
    name: 'a lookalike under a rotated name is its original’s copy, however long that lives',
    file: identity,
    find: `  found.isCopy = candidate !== undefined && isCopy(candidate, found, isUnfinished);`,
    replace: ``,
    noticedBy: 'a copy, a long pause, then truncation',
  },
  {
    name: 'but not for ever',
    file: adoption,
    find: `  return now - found.heldMs < holdMs;`,
    replace: `  return true;`,
    noticedBy: 'a copy of a file that lives on',
  },
  {
    name: 'a copy that ends earlier has been read',
    file: adoption,
    find: `  if (like !== 'part' || !isWhole || known.state === 'reading') return false;`,
    replace: `  return false;`,
    noticedBy: 'copy, more lines, then truncation',
  },
  {
    name: 'originals are recognized before copies',
    file: identity,
    find: `  return [...forgotten, ...first, ...then];`,
    replace: `  return [...forgotten, ...then, ...first];`,
    noticedBy: 'a copy that is found before its original',
  },
  {
    name: 'a look lists until nothing changes any more',
    file: files,
    find: `        const isStable = isComplete ||`,
    replace: `        const isStable = true || isComplete ||`,
    noticedBy: 'copy and truncation while a look goes on',
  },
  {
    name: 'what is not read yet has the order of the last listing',
    file: identity,
    find: `      if (isUnread(state, owner)) owner.order = state.nextId++;`,
    replace: ``,
    noticedBy: 'copy and truncation while a look goes on',
  },
  {
    name: 'a rotated name keeps the key',
    file: 'sources/file/rotation-name.ts',
    find: `earlierNames(path).findLast(isKnown) ?? path;`,
    replace: `isKnown(path) ? path : path;`,
    noticedBy: 'a file first seen under a rotated name',
  },
  {
    name: 'what was lost is looked for beside what matches',
    file: identity,
    find: `    if (!seen.matched && !missed && !lostInodes.has(key) && !standsBeside(seen, lost)) continue;`,
    replace: `    if (!seen.matched && !missed) continue;`,
    noticedBy: 'two rotations while the agent is down',
  },
  {
    name: 'a generation that came and went is found',
    file: identity,
    find: `  return currentOrigin(state, seen.path) !== seen.path;`,
    replace: `  return false;`,
    noticedBy: 'two rotations while the agent is down',
  },
  {
    name: 'what was lost is looked for at once',
    file: identity,
    find: `{ type: 'move', from: generation.id, to: next.id }, { type: 'list' }]`,
    replace: `{ type: 'move', from: generation.id, to: next.id }]`,
    noticedBy: 'copy and truncation with lines unread',
  },
  {
    name: 'older generations are read first',
    file: visits,
    find: `!reader.isUnread || (await this.#areEldersRead(reader))`,
    replace: `true`,
    noticedBy: 'rename of a file with an unfinished line',
  },
  {
    name: 'a line is held until it is finished',
    file: handover,
    find: `    return quietMs >= Math.max(this.options.partial_after, isWritten ? 0 : unfinishedGzipMs);`,
    replace: `    return true;`,
    noticedBy: 'a line that is finished later',
  },
  {
    name: 'or until its file has ended for good',
    file: files,
    find: `      if (generation?.state === 'gone') this.events.onUnfinished(generation, rest);`,
    replace: ``,
    noticedBy: 'a line that is never finished',
  },
];

describe('the scenarios notice when this rule is missing:', () => {
  it.each(mutations)('$name', async (mutation) => {
    await expect(enumerate(mutation.noticedBy, mutate(mutation))).rejects.toThrow();
  });
});
