import type { Content } from './content.js';
import { endOf } from './content-end.js';
import type { Generation, Place } from './generation.js';
import type { Likeness } from './identity-events.js';
import { agrees, type Mark, markBytes, markOf } from './mark.js';
import { earlierNames } from './rotation-name.js';

/** What an examination found; see the event `examined`. */
export interface Findings {
  readonly end: Place;
  readonly likeness: ReadonlyMap<number, Likeness>;
  readonly isWhole: boolean;
  readonly head: Mark;
}

/**
 * Compares a file with generations; those that it cannot be, whatever it holds, are left out.
 *
 * @param firstBytes gives the first bytes of a generation's file, to tell a short file from it;
 * undefined where it has none. Then a short file is no copy of it: one that is whole would hold at
 * least what was seen, and one under way has an original.
 */
export async function examine(
  found: Generation,
  content: Content,
  known: Iterable<Generation>,
  firstBytes: (generation: Generation, length: number) => Promise<Buffer | undefined>,
): Promise<Findings> {
  const head = await readAt(content, 0, markBytes);
  const hashOf = headHashes(head);
  const names = new Set(earlierNames(found.path));
  const likeness = new Map<number, Likeness>();
  const alike: Generation[] = [];
  for (const generation of known) {
    const { id, fingerprint, heads, origin } = generation;
    const isHead = ({ bytes, hash }: Mark) => head.length >= bytes && hashOf(bytes) === hash;
    if (fingerprint.bytes > 0 && head.length >= fingerprint.bytes) {
      if (hashOf(fingerprint.bytes) === fingerprint.hash) alike.push(generation);
    } else if (names.has(origin) && heads.some(isHead)) {
      alike.push(generation);
    } else if (names.has(origin)) {
      const first = await firstBytes(generation, head.length);
      if (first?.equals(head)) likeness.set(id, 'unclear');
    }
  }
  let isSame = false;
  let isPart = false;
  for (const generation of alike) {
    const like = await compare(found, content, generation);
    likeness.set(generation.id, like);
    if (like === 'same') isSame = true;
    if (like === 'part') isPart = true;
  }
  // Whether compressed content is whole shows at its end only.
  const mustEnd = isPart || (found.compressed && !isSame);
  const end = mustEnd ? await endOf(content) : { position: 0, tail: markOf(head, 0, 0) };
  return {
    end,
    likeness,
    isWhole: isSame || content.isWhole,
    head: markOf(head, 0, head.length),
  };
}

/** Hashes of the first bytes, each length hashed once, however many generations are compared. */
function headHashes(head: Buffer): (bytes: number) => string {
  const hashes = new Map<number, string>();
  return (bytes) => {
    const known = hashes.get(bytes);
    if (known !== undefined) return known;
    const { hash } = markOf(head, 0, bytes);
    hashes.set(bytes, hash);
    return hash;
  };
}

/** How a file whose first bytes agree goes on. */
async function compare(
  found: Generation,
  content: Content,
  { passed, place, compressed, inode, device, size }: Generation,
): Promise<Likeness> {
  // A compressed file is not written to: its size tells enough to spare unpacking it once more.
  const isAtOldInode = inode === found.inode && device === found.device;
  if (compressed && isAtOldInode && size === found.size) return 'same';
  let like: Likeness = place.position === 0 ? 'same' : 'unclear';
  for (const { position, tail } of [...passed, place]) {
    if (position === 0) continue;
    const bytes = await readAt(content, position - tail.bytes, tail.bytes);
    if (bytes.length < tail.bytes) return like;
    if (!agrees(tail, bytes, 0)) return 'different';
    like = position === place.position ? 'same' : 'part';
  }
  return like;
}

async function readAt(content: Content, position: number, length: number): Promise<Buffer> {
  const target = Buffer.allocUnsafe(length);
  const bytes = await content.read(target, 0, length, position);
  return target.subarray(0, bytes);
}
