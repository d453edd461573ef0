import type { MutableGeneration, Place } from './generation.js';
import type { IdentityEffect, Likeness } from './identity-events.js';
import { inodeKey, type MutableIdentity } from './identity-state.js';
import { markBytes } from './mark.js';
import { isRotationOf, originOf } from './rotation-name.js';

/** A lookalike of a file that is still there is held for so long, then it is a file of its own. */
const holdMs = 5_000;

/** The generation that an undecided file may be. */
export interface Candidate {
  readonly known: MutableGeneration;
  readonly like: Likeness;
}

/** The best candidate: one at its old inode first, then a full match, then the youngest. */
export function candidateFor(
  state: MutableIdentity,
  found: MutableGeneration,
  likeness: ReadonlyMap<number, Likeness>,
): Candidate | undefined {
  let best: Candidate | undefined;
  let bestRank = 0;
  for (const [id, like] of likeness) {
    const known = state.generations.get(id);
    if (!known || !isPossible(known, found, like)) continue;
    const rank = (isAtOldInode(known, found) ? 2 : 0) + (like === 'same' ? 1 : 0);
    if (best && (rank < bestRank || (rank === bestRank && best.known.id > id))) continue;
    best = { known, like };
    bestRank = rank;
  }
  return best;
}

function isPossible(known: MutableGeneration, found: MutableGeneration, like: Likeness): boolean {
  if (like === 'different' || known.state === 'undecided') return false;
  // This file was seen to be cut: however it looks now, it is not what it was before.
  if (found.replaces === known.id) return false;
  if (isAtOldInode(known, found)) return like === 'same';
  // A few equal bytes prove nothing, for many logs begin alike; a rotated name makes them a copy.
  if (isRotationOf(found.path, known.origin)) return true;
  return like !== 'unclear' && known.fingerprint.bytes === markBytes;
}

function isAtOldInode(known: MutableGeneration, found: MutableGeneration): boolean {
  return known.state !== 'reading' && inodeKey(known) === inodeKey(found);
}

/** Whether the original has shrunk or vanished, so that the copy takes its place. */
export function mayBeTaken(
  { known, like }: Candidate,
  found: MutableGeneration,
  isWhole: boolean,
): boolean {
  if (like === 'same' && known.state === 'reading') return known.unlinked && known.drained;
  if (like === 'same') return true;
  if (like !== 'part' || !isWhole || known.state === 'reading') return false;
  if (known.state === 'lost' && known.truncated) return true;
  return !found.grew && isRotationOf(found.path, known.origin);
}

/**
 * Whether it is the copy, whole or under way, of a file that is still there under a name that
 * rotation gives: then its lines are the original's, however long that lives.
 */
export function isCopy(
  { known, like }: Candidate,
  found: MutableGeneration,
  isUnfinished: boolean,
): boolean {
  if (known.state !== 'reading' || !isRotationOf(found.path, known.origin)) return false;
  return like !== 'unclear' || isUnfinished;
}

/** Whether it is too short to be more than the first bytes of `known`, and those were sent. */
export function isSent({ known, like }: Candidate, found: MutableGeneration, end: Place): boolean {
  const length = found.compressed ? end.position : found.size;
  return like === 'unclear' && length <= known.place.position;
}

/** Whether to wait and see: the original is still there, so this may become its copy. */
export function isHeld({ known, like }: Candidate, found: MutableGeneration, now: number): boolean {
  const isThere = known.state === 'reading';
  // Found just now: the next look tells whether it grows, or is the copy that it seems.
  const maySettle = like === 'part' && found.grew && isRotationOf(found.path, known.origin);
  if (!isThere && !maySettle) return false;
  // A copy under way is waited for as long as it grows, an unlinked original until it is read.
  const isMoving = isThere && ((found.grew && like !== 'same') || known.unlinked);
  if (found.heldMs === null || isMoving) found.heldMs = now;
  return now - found.heldMs < holdMs;
}

/** `found` is where `known` goes on; `end` where it is a copy that ends before its position. */
export function adopt(
  state: MutableIdentity,
  known: MutableGeneration,
  found: MutableGeneration,
  end: Place | undefined,
): IdentityEffect[] {
  const effects: IdentityEffect[] = [];
  if (known.open) effects.push({ type: 'close', id: known.id });
  if (known.state === 'reading') state.owners.delete(inodeKey(known));
  const { path, device, inode, compressed, size, modifiedMs, unlinked, matched, named } = found;
  Object.assign(known, { path, device, inode, compressed, size, modifiedMs, unlinked, named });
  known.matched ||= matched;
  known.state = 'reading';
  known.open = true;
  known.drained = false;
  known.truncated = false;
  known.sinceMs = modifiedMs;
  state.generations.delete(found.id);
  state.owners.set(inodeKey(known), known);
  effects.push({ type: 'move', from: found.id, to: known.id });
  if (end) {
    known.place = end;
    known.passed = [];
    effects.push({ type: 'rebase', id: known.id, place: end });
  }
  return effects;
}

/** `found` is a generation of its own. */
export function begin(state: MutableIdentity, found: MutableGeneration): IdentityEffect[] {
  // The name under which it was found may be a rotation of one that has come to be known since.
  found.origin = currentOrigin(state, found.origin);
  state.origins.add(found.origin);
  found.state = 'reading';
  found.drained = false;
  found.sinceMs = found.modifiedMs;
  return [{ type: 'begin', id: found.id, atEnd: state.skipsContent }];
}

/** The path whose key a file bears that is first seen under `path`. */
export function currentOrigin(state: MutableIdentity, path: string): string {
  return originOf(path, (name) => state.paths.has(name) || state.origins.has(name));
}
