import type { Claim, ClaimedFile, ContentSettings, Decision } from './claim.js';
import type { Pace, Rotation, SpoolLevel } from './rotation.js';

/** What does not change while a chain is held. */
export interface ChainConfig {
  readonly settings: ContentSettings;
  readonly rotation: Rotation;
  /** Named in claims, for people. */
  readonly writer: string;
  /** A person has accepted that offsets which retention has passed are lost. */
  readonly acceptGap: boolean;
}

/** Why a partition stands still until a person acts. */
export interface Blocked {
  readonly code:
    | 'RETENTION_PASSED'
    | 'LOG_BEHIND'
    | 'CHAIN_BROKEN'
    | 'FILE_CONFLICT'
    | 'CONTENT_DIFFERS'
    | 'READ_BACK'
    | 'UNKNOWN_FORMAT'
    | 'OTHER_SINK';
  readonly message: string;
}

/** What the writer of one partition knows; everything else is in the store, spool and log. */
export interface MutableChain {
  readonly config: ChainConfig;
  /** `working`: one effect is under way. `reading`: records come in. */
  phase: 'working' | 'reading' | 'waiting';
  /** Where the next link of the chain starts. */
  position: number;
  /** The last claim that the listing showed: the walk must pass it. */
  lastListed: number;
  /** The claim being finished; undefined at the head of the chain. */
  claim: Claim | undefined;
  /** What we have encoded and tried to claim ourselves; its files are staged. */
  own: Decision | undefined;
  spool: SpoolLevel | undefined;
  /** The spool was filled anew from the log for this claim: there is nothing better to try. */
  refilled: boolean;
  /** Files published under a claim that was lost with its store's content must be met again. */
  mustEnd: number | undefined;
  /** How it was cut lately; undefined before the first cut of this writer. */
  pace: Pace | undefined;
  /** A drain: cut as soon as everything before this offset is read. */
  drainTo: number | undefined;
  /** What the group is known to have committed. */
  committed: number | undefined;
  blocked: Blocked | undefined;
  /** Attempts since the last success, and when (monotonic) the next one is due (`waiting`). */
  failures: number;
  retryAt: number;
}

/** What others see of it. */
export type ChainState = Readonly<MutableChain>;

/** What happened: the answers to effects, records that came in, and the clock. */
export type ChainEvent =
  | { readonly type: 'open' }
  | {
      readonly type: 'listed';
      readonly genesis: number | undefined;
      readonly claims: readonly number[];
      readonly dones: ReadonlySet<number>;
    }
  | { readonly type: 'firstFound'; readonly offset: number }
  | { readonly type: 'genesisCreated' }
  | {
      readonly type: 'claimRead';
      readonly claim: Claim | undefined;
      readonly done: boolean;
      /** Where a torn claim had published up to, if it had. */
      readonly publishedEnd: number | undefined;
    }
  | { readonly type: 'inspected'; readonly verdict: 'complete' | 'incomplete' }
  | { readonly type: 'conflict'; readonly code: Blocked['code']; readonly message: string }
  | { readonly type: 'spooled'; readonly spool: SpoolLevel }
  | { readonly type: 'outOfRange'; readonly logStart: number; readonly logEnd: number }
  | { readonly type: 'encoded'; readonly files: readonly ClaimedFile[] }
  | { readonly type: 'claimCreated' }
  | { readonly type: 'published' }
  | { readonly type: 'confirmed' }
  | { readonly type: 'committed' }
  /** `undefined`: the drain is over. */
  | { readonly type: 'drain'; readonly until: number | undefined }
  | { readonly type: 'cut' }
  | { readonly type: 'tick' }
  | { readonly type: 'failed' };

/** What is to be done next. Every effect may be repeated after any crash. */
export type ChainEffect =
  /** Answers `listed`. */
  | { readonly type: 'list' }
  /** The committed offset, or where the sink's `from` points; answers `firstFound`. */
  | { readonly type: 'findFirst' }
  /** Create-if-absent; answers `genesisCreated`. */
  | { readonly type: 'createGenesis'; readonly start: number }
  /** Answers `claimRead`. */
  | { readonly type: 'readClaim'; readonly start: number }
  /** Which of the claim's files are there already; answers `inspected` or `conflict`. */
  | { readonly type: 'inspect'; readonly claim: Claim }
  /** Takes over the spool that begins here, or begins one; answers `spooled`. */
  | { readonly type: 'openSpool'; readonly start: number; readonly fresh: boolean }
  /** Seeks and reads into the spool, answering `spooled` or `outOfRange` until told otherwise. */
  | { readonly type: 'read'; readonly from: number; readonly until: number | undefined }
  /** Stages the files of these offsets; answers `encoded`. */
  | {
      readonly type: 'encode';
      readonly start: number;
      readonly end: number;
      readonly settings: ContentSettings;
      /** For a claim of 0.1.0 with names that differ in case alone. */
      readonly hasPlainNames: boolean;
    }
  /** Create-if-absent; answers `claimCreated`, whoever won. */
  | { readonly type: 'createClaim'; readonly claim: Decision }
  /** Create-if-absent, each file; answers `published` or `conflict`. */
  | { readonly type: 'publish'; readonly claim: Claim }
  /** Reads back and writes `done`; answers `confirmed` or `conflict`. */
  | { readonly type: 'confirm'; readonly claim: Claim; readonly lost: boolean }
  /** Answers `committed`. */
  | { readonly type: 'commit'; readonly offset: number }
  /** Tells a person; answers nothing. */
  | { readonly type: 'alarm'; readonly blocked: Blocked };
