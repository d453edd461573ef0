import {
  adopt,
  begin,
  candidateFor,
  currentOrigin,
  isCopy,
  isHeld,
  isSent,
  mayBeTaken,
} from './adoption.js';
import type { StoredFileSource } from './generation.js';
import {
  type MutableGeneration,
  newGeneration,
  type Place,
  restoreGeneration,
} from './generation.js';
import type { IdentityEffect, IdentityEvent, Sighting } from './identity-events.js';
import {
  type IdentityState,
  inodeKey,
  isOwner,
  type MutableIdentity,
  originsOf,
} from './identity-state.js';
import { type Mark, markBytes } from './mark.js';
import { earlierNames, isRotationOf } from './rotation-name.js';

/** A file without a name is kept open for so long after its last change. */
const unnamedQuietMs = 60_000;
/** A file that rests for so long is closed, and opened again when a look finds it changed. */
const restAfterMs = 300_000;
/** A generation without a file is remembered for so long: its copy may come late. */
const forgetAfterMs = 24 * 3_600_000;

/** How many places are remembered to tell a copy that ends early. */
const passedPlaces = 8;
/** Far less than the distance of two files that were found. */
const successorStep = 2 ** -20;
/** A compressed file that has not changed for so long is looked into. */
const stillForMs = 1_500;
/** One that ends in mid-stream is waited for so long, from its last change. */
const unfinishedMs = 600_000;
/** Clocks of file systems tick more coarsely than ours, and late. */
const coarseClockMs = 20;

/** The state after a start; `stored` is undefined where this source never ran before. */
export function startState(
  stored: StoredFileSource | undefined,
  readFromEnd: boolean,
): IdentityState {
  const generations = new Map<number, MutableGeneration>();
  for (const one of stored?.generations ?? []) generations.set(one.id, restoreGeneration(one));
  const orders = [...generations.values()].map(({ order }) => Math.floor(order));
  const nextId = Math.max(-1, ...generations.keys(), ...orders) + 1;
  const state: MutableIdentity = {
    generations,
    owners: new Map(),
    paths: new Set(),
    origins: originsOf(generations.values()),
    lookedMs: stored?.looked_ms ?? null,
    lookingMs: null,
    foundFrom: nextId,
    nextId,
    skipsContent: stored === undefined && readFromEnd,
  };
  return state;
}

/**
 * Decides which file is which generation (docs/formats/positions.md has the rules). It reads no
 * file and no clock: what it is told decides, and `state` is all that it changes.
 *
 * @param state as `startState` made it.
 * @param now milliseconds since the epoch, by a clock that nobody sets (`SteadyTime`).
 */
export function step(
  state: IdentityState,
  event: IdentityEvent,
  now: number,
): readonly IdentityEffect[] {
  return decide(state as MutableIdentity, event, now);
}

function decide(state: MutableIdentity, event: IdentityEvent, now: number): IdentityEffect[] {
  if (event.type === 'listed') return listed(state, event);
  if (event.type === 'settled') return settled(state, now);
  const generation = state.generations.get(event.id);
  if (!generation) return [];
  switch (event.type) {
    case 'polled':
      return polled(state, generation, event, now);
    case 'examined':
      return examined(state, generation, event, now);
    case 'vanished':
      return vanished(state, generation);
    case 'replaced':
      return truncated(state, generation);
    case 'advanced':
      if (event.place.position > generation.place.position) notePassed(generation, event.place);
      generation.place = event.place;
      noteFingerprint(generation, event.fingerprint);
      return [];
    case 'restSent':
      generation.place = event.place;
      return [];
    case 'rewound':
      rewind(generation, event.place);
      return [];
    case 'unopened':
      // Under another name it has to count as written to since the last look again.
      if (generation.missed) state.lookingMs = state.lookedMs;
      drop(state, generation);
      return [];
  }
}

function notePassed(generation: MutableGeneration, next: Place): void {
  const { passed, place } = generation;
  // Everything agrees with the start.
  const places = place.position > 0 ? [...passed, place] : [...passed];
  generation.passed = thin(places, ({ position }) => position, next.position);
}

/** A copy that ends before it is still known by what was passed. */
function rewind(generation: MutableGeneration, place: Place): void {
  generation.place = place;
  generation.passed = generation.passed.filter(({ position }) => position < place.position);
}

function noteFingerprint(generation: MutableGeneration, next: Mark): void {
  const { fingerprint, heads } = generation;
  if (fingerprint.bytes > 0 && next.bytes > fingerprint.bytes) {
    generation.heads = thin([...heads, fingerprint], ({ bytes }) => bytes, next.bytes);
  }
  generation.fingerprint = next;
}

/**
 * Forgets one of too many, so that however often something is written between a copy and the cut
 * of its original, one stays that the copy holds, if that is half as long as the original or more:
 * no gap between those that stay is large against its distance from `end`. Ascending.
 */
function thin<T>(places: T[], at: (place: T) => number, end: number): T[] {
  if (places.length <= passedPlaces) return places;
  const distances = places.map((place) => end - at(place));
  let least = 0;
  let leastGap = Number.POSITIVE_INFINITY;
  const isFirstFar = (distances[1] ?? 0) >= end / 2;
  for (let i = 1; !isFirstFar && i < places.length - 1; i++) {
    const gap = (distances[i - 1] ?? 0) / (distances[i + 1] ?? 1);
    if (gap >= leastGap) continue;
    least = i;
    leastGap = gap;
  }
  places.splice(least, 1);
  return places;
}

function listed(
  state: MutableIdentity,
  { sightings, startedMs, sinceLastMs, hidden }: IdentityEvent & { type: 'listed' },
): IdentityEffect[] {
  // Where the wall clock was set back since, files that came since bear earlier times.
  if (state.lookedMs !== null && sinceLastMs !== null) {
    state.lookedMs = Math.min(state.lookedMs, startedMs - sinceLastMs);
  }
  const inodeOfPath = new Map(sightings.map((seen) => [seen.path, inodeKey(seen)]));
  loseVanished(state, new Set(inodeOfPath.values()), hidden);
  state.paths = new Set(sightings.filter((seen) => seen.matched).map((seen) => seen.path));
  const lost = [...state.generations.values()].filter((one) => !isOwner(one));
  const lostInodes = new Set(lost.map(inodeKey));
  const forgotten = forgetUnread(state);
  const first: IdentityEffect[] = [];
  const then: IdentityEffect[] = [];
  for (const seen of sightings) {
    const key = inodeKey(seen);
    const owner = state.owners.get(key);
    if (owner) {
      if (isUnread(state, owner)) owner.order = state.nextId++;
      if (inodeOfPath.get(owner.path) !== key) noteName(state, owner, seen.path);
      if (owner.open || owner.state === 'undecided' || !hasChanged(owner, seen)) continue;
      // It rested, so its inode may be another file's by now.
      loseFile(state, owner);
      owner.truncated = seen.size < owner.size;
      lostInodes.add(key);
    }
    const missed = !seen.matched && wasMissed(state, seen);
    if (!seen.matched && !missed && !lostInodes.has(key) && !standsBeside(seen, lost)) continue;
    const id = state.nextId++;
    const found = newGeneration(id, id, seen);
    found.matched = seen.matched;
    found.missed = missed;
    if (owner?.truncated) found.replaces = owner.id;
    claim(state, found);
    // Originals are known before anything is taken for a copy of them.
    const isOriginal = lostInodes.has(key) || found.origin === found.path;
    (isOriginal ? first : then).push({ type: 'open', id: found.id });
  }
  state.lookingMs ??= startedMs;
  const named = new Set(sightings.filter(isFollowed).map(({ path }) => path));
  for (const one of state.generations.values()) {
    const isThere = named.has(one.path) && inodeOfPath.get(one.path) === inodeKey(one);
    one.named = isThere || (one.named && isHidden(one.path, hidden));
  }
  return [...forgotten, ...first, ...then];
}

/**
 * Found by this look, so that nothing of it was read. Files may be rotated while the look goes
 * on: only its last listing tells in which order their contents began.
 */
function isUnread({ foundFrom }: MutableIdentity, one: MutableGeneration): boolean {
  const isNew = one.replaces === null || one.replaces >= foundFrom;
  return one.id >= foundFrom && isNew && one.place.position === 0;
}

/** What was cut before anything of it was read: its copy is a file like any other. */
function forgetUnread(state: MutableIdentity): IdentityEffect[] {
  const effects: IdentityEffect[] = [];
  for (const one of state.generations.values()) {
    if (one.state !== 'lost' || !isUnread(state, one)) continue;
    drop(state, one);
    effects.push({ type: 'forget', id: one.id });
  }
  return effects;
}

/** Nothing was read of one that is undecided, so a later name gives its key if it is asked for. */
function noteName(state: MutableIdentity, owner: MutableGeneration, path: string): void {
  owner.path = path;
  const isAnother = state.paths.has(path) && !isRotationOf(path, owner.origin);
  if (owner.state === 'undecided' && isAnother) owner.origin = currentOrigin(state, path);
}

/** A file that rests is not polled: that it has no name here any more shows in a look alone. */
function loseVanished(
  state: MutableIdentity,
  inodes: ReadonlySet<string>,
  hidden: readonly string[],
): void {
  for (const one of state.generations.values()) {
    const isResting = one.state === 'reading' && !one.open;
    if (!isResting || inodes.has(inodeKey(one)) || isHidden(one.path, hidden)) continue;
    loseFile(state, one);
  }
}

function isHidden(path: string, hidden: readonly string[]): boolean {
  return hidden.some((one) => path === one || path.startsWith(`${one}/`));
}

/** Whether looks find it there again and again, not only while something is sought. */
function isFollowed({ path, matched }: Sighting): boolean {
  return matched || earlierNames(path).length > 0;
}

function standsBeside(seen: Sighting, lost: readonly MutableGeneration[]): boolean {
  return lost.some((one) => one.state === 'lost' && isRotationOf(seen.path, one.origin));
}

/**
 * A file under a rotated name of a known one, written to since the last look: if it is nothing
 * that is known, it is a generation that came and went between two looks.
 */
function wasMissed(state: MutableIdentity, seen: Sighting): boolean {
  if (state.lookedMs === null || seen.modifiedMs < state.lookedMs - coarseClockMs) return false;
  return currentOrigin(state, seen.path) !== seen.path;
}

function hasChanged(generation: MutableGeneration, seen: Sighting): boolean {
  return generation.size !== seen.size || generation.modifiedMs !== seen.modifiedMs;
}

/** Nothing more can be found out about what is still lost: nobody waits for it any longer. */
function settled(state: MutableIdentity, now: number): IdentityEffect[] {
  const effects: IdentityEffect[] = [];
  state.skipsContent = false;
  state.lookedMs = state.lookingMs ?? state.lookedMs;
  state.lookingMs = null;
  state.foundFrom = state.nextId;
  for (const generation of state.generations.values()) {
    if (generation.state === 'lost') {
      generation.state = 'gone';
      generation.sinceMs = now;
    } else if (generation.state === 'gone' && now - generation.sinceMs > forgetAfterMs) {
      effects.push({ type: 'forget', id: generation.id });
      drop(state, generation);
    }
  }
  state.origins = originsOf(state.generations.values());
  return effects;
}

function polled(
  state: MutableIdentity,
  generation: MutableGeneration,
  event: IdentityEvent & { type: 'polled' },
  now: number,
): IdentityEffect[] {
  const grew = event.size > generation.size;
  noteStillness(generation, event, now);
  if (generation.state === 'reading' && event.size < generation.size) {
    return truncated(state, generation);
  }
  generation.open = true;
  generation.size = event.size;
  generation.modifiedMs = event.modifiedMs;
  generation.unlinked = event.unlinked;
  generation.drained = event.drained;
  if (generation.state === 'undecided') return undecided(state, generation, grew, now);
  if (grew || !generation.drained) generation.sinceMs = now;
  return quieten(state, generation, now);
}

/** A copy that was given its original's time has been finished. */
function noteStillness(
  generation: MutableGeneration,
  event: { readonly size: number; readonly modifiedMs: number; readonly ageMs: number },
  now: number,
): void {
  const { size, modifiedMs, stillMs } = generation;
  const hasChanged = size !== event.size || modifiedMs !== event.modifiedMs;
  if (stillMs === null || hasChanged) generation.stillMs = now - event.ageMs;
}

function undecided(
  state: MutableIdentity,
  generation: MutableGeneration,
  grew: boolean,
  now: number,
): IdentityEffect[] {
  const { id, stillMs } = generation;
  generation.grew ||= grew;
  // Compressed content is unpacked to be compared: not at each look while it grows.
  if (generation.compressed && now - (stillMs ?? now) < stillForMs) return [];
  if (generation.size > 0) return [{ type: 'examine', id }];
  if (generation.matched && !generation.unlinked) return [];
  drop(state, generation);
  return [{ type: 'close', id }];
}

/** Closes what has not changed for long. */
function quieten(
  state: MutableIdentity,
  generation: MutableGeneration,
  now: number,
): IdentityEffect[] {
  const quietMs = now - generation.sinceMs;
  const isNamed = generation.named && !generation.unlinked;
  if (!generation.drained || quietMs < (isNamed ? restAfterMs : unnamedQuietMs)) return [];
  generation.open = false;
  if (!isNamed) {
    loseFile(state, generation);
    generation.state = 'gone';
    generation.sinceMs = now;
  }
  return [{ type: 'close', id: generation.id }];
}

function examined(
  state: MutableIdentity,
  found: MutableGeneration,
  { end, likeness, isWhole, head }: IdentityEvent & { type: 'examined' },
  now: number,
): IdentityEffect[] {
  if (found.state !== 'undecided') return [];
  const candidate = candidateFor(state, found, likeness);
  if (candidate && mayBeTaken(candidate, found, isWhole)) {
    const { known } = candidate;
    // The copy was made when the original was shorter.
    if (head.bytes < known.fingerprint.bytes) known.fingerprint = head;
    return adopt(state, candidate.known, found, candidate.like === 'part' ? end : undefined);
  }
  const isUnfinished = !isWhole && now - (found.stillMs ?? now) < unfinishedMs;
  found.isCopy = candidate !== undefined && isCopy(candidate, found, isUnfinished);
  // Once its original is cut, nothing is left to tell that by.
  found.isSent = candidate ? isSent(candidate, found, end) : found.isSent && !found.grew;
  // Too little of it is there to tell it from anything.
  const isTooShort = isUnfinished && (candidate !== undefined || end.position < markBytes);
  const isWaiting =
    found.isCopy || isTooShort || (candidate !== undefined && isHeld(candidate, found, now));
  found.grew = false;
  if (isWaiting) return [];
  if (found.matched || (found.missed && !candidate && !found.isSent)) return begin(state, found);
  drop(state, found);
  return [{ type: 'close', id: found.id }];
}

/** The file was cut, or holds other content: what it holds now is a new generation. */
function truncated(state: MutableIdentity, generation: MutableGeneration): IdentityEffect[] {
  if (generation.state !== 'reading') return [];
  loseFile(state, generation);
  generation.truncated = true;
  generation.open = false;
  // It began before any file that was found after the one that it replaces.
  const next = newGeneration(state.nextId++, generation.order + successorStep, generation);
  next.replaces = generation.id;
  next.open = true;
  claim(state, next);
  // A name that is not asked for gives no key.
  if (!state.paths.has(next.path)) next.origin = generation.origin;
  return [{ type: 'move', from: generation.id, to: next.id }, { type: 'list' }];
}

/** It is sought by its inode, under whatever name. */
function vanished(state: MutableIdentity, generation: MutableGeneration): IdentityEffect[] {
  if (generation.state === 'reading') loseFile(state, generation);
  else drop(state, generation);
  generation.open = false;
  return [{ type: 'close', id: generation.id }, { type: 'list' }];
}

function loseFile(state: MutableIdentity, generation: MutableGeneration): void {
  state.owners.delete(inodeKey(generation));
  generation.state = 'lost';
}

function claim(state: MutableIdentity, generation: MutableGeneration): void {
  generation.origin = currentOrigin(state, generation.path);
  state.generations.set(generation.id, generation);
  state.owners.set(inodeKey(generation), generation);
}

function drop(state: MutableIdentity, generation: MutableGeneration): void {
  state.generations.delete(generation.id);
  if (state.owners.get(inodeKey(generation)) === generation) {
    state.owners.delete(inodeKey(generation));
  }
}
