import { z } from '../../../config/index.js';
import { emptyMark, type Mark, markBytes } from './mark.js';

/**
 * What is known about a generation's file.
 * - `undecided`: a file that was just found and may be a copy of another; nothing is read yet
 * - `reading`: the file at `device` and `inode` is this generation
 * - `lost`: its file is not there (any more), or holds something else; a copy may yet be found
 * - `gone`: no copy was found; nobody waits for it
 */
export type GenerationState = 'undecided' | 'reading' | 'lost' | 'gone';

/** A place in the content, and the mark of the ≤ 1 KiB before it. */
export interface Place {
  /** Bytes from the start of the (decompressed) content. */
  readonly position: number;
  readonly tail: Mark;
}

/** One content that only ever grew, whatever names and inodes it had. `step` alone changes it. */
export interface MutableGeneration {
  readonly id: number;
  /** Those of one origin are read in ascending order. Never changes once the look has settled. */
  order: number;
  /** The path that gives the key; set when the generation is decided and never changed. */
  origin: string;
  /** The last name it was seen under. */
  path: string;
  device: number;
  inode: number;
  /** Its file is compressed; positions count decompressed bytes. */
  compressed: boolean;
  state: GenerationState;
  /** Of the first bytes that were seen, sent or not; grows with the content up to 1 KiB. */
  fingerprint: Mark;
  /** Some shorter ones, oldest first: they tell a copy that was made when it was shorter. */
  heads: readonly Mark[];
  /** Up to here everything was handed to the producer. */
  place: Place;
  /** Some places before it, oldest first: they tell a copy that ends earlier. */
  passed: readonly Place[];
  /** Of the file, when it was last looked at. */
  size: number;
  modifiedMs: number;
  /** Its file is open, so that its inode cannot be given to another. */
  open: boolean;
  /** Its file has lost its last name. */
  unlinked: boolean;
  /** Everything in the file has been read. */
  drained: boolean;
  /** It was cut while being read, not just missing. */
  truncated: boolean;
  /** Since when nothing has changed, or since when it is `gone`; as `now` of `step`. */
  sinceMs: number;
  /** Its file is asked for by `include`, so it may become a generation of its own. */
  matched: boolean;
  /** It is not, but may be a generation that was rotated before it was seen. */
  missed: boolean;
  /** The last look found its path. */
  named: boolean;
  /** The generation whose file was cut to make room for this one. */
  replaces: number | null;
  /** Undecided: since when it is held, and whether it grew since it was examined. */
  heldMs: number | null;
  grew: boolean;
  /** Undecided: since when it has not changed; as `now` of `step`. */
  stillMs: number | null;
  /** Undecided: it holds what another generation's file holds, so nobody waits for it. */
  isCopy: boolean;
  /** Undecided: what it holds was sent, as the first bytes of another generation. */
  isSent: boolean;
}

/** What others see of it. */
export type Generation = Readonly<MutableGeneration>;

const mark = z.strictObject({
  bytes: z.int().min(0).max(markBytes),
  hash: z.string().regex(/^([0-9a-f]{16})?$/),
});

const passedPlace = z.strictObject({ position: z.number().min(0), tail: mark });

/** A generation as it stands in the positions; see docs/formats/positions.md. */
const storedGeneration = z.strictObject({
  id: z.int().min(0),
  order: z.number().min(0),
  origin: z.string(),
  path: z.string(),
  device: z.number(),
  inode: z.number(),
  compressed: z.boolean(),
  size: z.number().min(0),
  fingerprint: mark,
  position: z.number().min(0),
  tail: mark,
  /** Left out where there are none. */
  passed: z.array(passedPlace).optional(),
  gone_ms: z.number().nullable(),
});

/** The file source's part of the positions. */
export const storedFileSource = z.strictObject({
  type: z.literal('file'),
  looked_ms: z.number().nullable(),
  generations: z.array(storedGeneration),
});

export type StoredGeneration = z.output<typeof storedGeneration>;
export type StoredFileSource = z.output<typeof storedFileSource>;

/** A generation about which nothing but its file is known. */
export function newGeneration(
  id: number,
  order: number,
  file: { path: string; device: number; inode: number; compressed: boolean },
): MutableGeneration {
  return {
    id,
    order,
    origin: file.path,
    path: file.path,
    device: file.device,
    inode: file.inode,
    compressed: file.compressed,
    state: 'undecided',
    fingerprint: emptyMark,
    heads: [],
    place: { position: 0, tail: emptyMark },
    passed: [],
    size: 0,
    modifiedMs: 0,
    open: false,
    unlinked: false,
    drained: false,
    truncated: false,
    sinceMs: 0,
    matched: true,
    missed: false,
    named: true,
    replaces: null,
    heldMs: null,
    grew: false,
    stillMs: null,
    isCopy: false,
    isSent: false,
  };
}

/** After a restart every generation is lost until its file is found again. */
export function restoreGeneration(stored: StoredGeneration): MutableGeneration {
  const passed = [...(stored.passed ?? [])];
  const place = { position: stored.position, tail: stored.tail };
  return {
    ...newGeneration(stored.id, stored.order, stored),
    origin: stored.origin,
    state: stored.gone_ms === null ? 'lost' : 'gone',
    fingerprint: stored.fingerprint,
    place,
    passed,
    heads: headsOf([...passed, place]),
    size: stored.size,
    sinceMs: stored.gone_ms ?? 0,
  };
}

/** The tail of a place within the first KiB covers all that is before it. */
function headsOf(places: readonly Place[]): readonly Mark[] {
  const early = places.filter(({ position, tail }) => position > 0 && tail.bytes === position);
  return early.map(({ tail }) => tail);
}

/** What to store of a generation that is acknowledged up to `acknowledged`. */
export function storeGeneration(generation: Generation, acknowledged: Place): StoredGeneration {
  const { id, order, origin, path, device, inode, compressed, size, fingerprint } = generation;
  // A file at rest is copied as it is: its position tells the copy.
  const isWritten = generation.state === 'reading' && generation.open;
  const { position } = acknowledged;
  const passed = generation.passed.filter((one) => isWritten && one.position < position);
  return {
    ...{ id, order, origin, path, device, inode, compressed, size, fingerprint },
    position: acknowledged.position,
    tail: acknowledged.tail,
    ...(passed.length > 0 ? { passed } : {}),
    gone_ms: generation.state === 'gone' ? generation.sinceMs : null,
  };
}
