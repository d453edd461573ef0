import type { Place } from './generation.js';
import type { Mark } from './mark.js';

/** A file as a look at the directories found it. */
export interface Sighting {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
  readonly size: number;
  readonly modifiedMs: number;
  readonly compressed: boolean;
  /** It is asked for by `include`; else it merely stands beside files that are. */
  readonly matched: boolean;
}

/**
 * How a file's content compares with a generation.
 * - `same`: its first bytes, and those before the generation's position, are the generation's
 * - `part`: it ends earlier, and agrees with first bytes and a later place of the generation
 * - `unclear`: it is too short to tell; what is there may be the generation's
 * - `different`: it is not the generation
 */
export type Likeness = 'same' | 'part' | 'unclear' | 'different';

/** What the shell saw. */
export type IdentityEvent =
  /** One complete look at the directories, begun at `startedMs` (wall clock); oldest first. */
  | {
      readonly type: 'listed';
      readonly startedMs: number;
      /** How long before this one the last look began; null where that is not known. */
      readonly sinceLastMs: number | null;
      readonly sightings: readonly Sighting[];
      /** Paths, and directories, that could not be looked at: what is there is not known. */
      readonly hidden: readonly string[];
    }
  /** All that the last look gave rise to has been opened and examined. */
  | { readonly type: 'settled' }
  /** An open file was asked for its size. */
  | {
      readonly type: 'polled';
      readonly id: number;
      readonly size: number;
      readonly modifiedMs: number;
      /** How long ago that was. */
      readonly ageMs: number;
      readonly unlinked: boolean;
      readonly drained: boolean;
    }
  /** Where an undecided file ends, and how it compares; generations left out are different. */
  | {
      readonly type: 'examined';
      readonly id: number;
      readonly end: Place;
      readonly likeness: ReadonlyMap<number, Likeness>;
      /** False where compressed content ends in mid-stream: more of it may come. */
      readonly isWhole: boolean;
      /** Of its first bytes. */
      readonly head: Mark;
    }
  /** The file has no descriptor, and is not at its path: it has another name, or none. */
  | { readonly type: 'vanished'; readonly id: number }
  /** The file does not hold the bytes before the position any more. */
  | { readonly type: 'replaced'; readonly id: number }
  /** Lines up to `place` were handed to the producer. */
  | {
      readonly type: 'advanced';
      readonly id: number;
      readonly place: Place;
      readonly fingerprint: Mark;
    }
  /** Of the unfinished last line of a file that is gone, all up to `place` was sent. */
  | { readonly type: 'restSent'; readonly id: number; readonly place: Place }
  /** What was sent behind `place` failed: it is read again from there. */
  | { readonly type: 'rewound'; readonly id: number; readonly place: Place }
  /** The file could not be opened, or another stood under its name. */
  | { readonly type: 'unopened'; readonly id: number };

/** What the shell is to do. */
export type IdentityEffect =
  /** Open the generation's path, and poll it. */
  | { readonly type: 'open'; readonly id: number }
  /** Compare an undecided file with the generations. */
  | { readonly type: 'examine'; readonly id: number }
  /** Begin to read; `atEnd`: only what comes from now on. */
  | { readonly type: 'begin'; readonly id: number; readonly atEnd: boolean }
  /** The open file of one generation is that of another from now on. */
  | { readonly type: 'move'; readonly from: number; readonly to: number }
  /** All of a shorter copy has been read: later positions mean its end. */
  | { readonly type: 'rebase'; readonly id: number; readonly place: Place }
  | { readonly type: 'close'; readonly id: number }
  /** Forget the generation altogether. */
  | { readonly type: 'forget'; readonly id: number }
  /** Look at the directories at once: a copy may lie there. */
  | { readonly type: 'list' };
