import { differInCaseAlone } from '../names.js';
import { type Claim, type Decision, sameDecision, sameFiles } from './claim.js';
import { cutReason, paceAfter, type SpoolLevel } from './rotation.js';
import type {
  Blocked,
  ChainConfig,
  ChainEffect,
  ChainEvent,
  ChainState,
  MutableChain,
} from './state.js';

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;

/** What is to be done now; nothing: the effect under way goes on. */
type Effects = readonly ChainEffect[];

/** A writer that has not looked at its chain yet; start it with `open`. */
export function newChain(config: ChainConfig): ChainState {
  return {
    config,
    phase: 'waiting',
    position: 0,
    lastListed: -1,
    claim: undefined,
    own: undefined,
    spool: undefined,
    refilled: false,
    mustEnd: undefined,
    pace: undefined,
    drainTo: undefined,
    committed: undefined,
    blocked: undefined,
    failures: 0,
    retryAt: 0,
  };
}

/**
 * The writer of one partition, without I/O. The chain in the store decides everything: whatever
 * fails or surprises, the writer opens the chain again and goes on from what it finds there.
 * `now` is monotonic, in milliseconds: nothing here is a time of day.
 */
export function step(state: MutableChain, event: ChainEvent, now: number): readonly ChainEffect[] {
  switch (event.type) {
    case 'open':
      return open(state);
    case 'listed':
      return onListed(state, event, now);
    case 'firstFound':
      return work(state, { type: 'createGenesis', start: event.offset });
    case 'genesisCreated':
      return work(state, { type: 'list' });
    case 'claimRead':
      return onClaimRead(state, event, now);
    case 'inspected':
      return onInspected(state, event.verdict);
    case 'conflict':
      return block(state, { code: event.code, message: event.message }, now);
    case 'spooled':
      return onSpooled(state, event.spool, now);
    case 'outOfRange':
      return onOutOfRange(state, event.logStart, event.logEnd, now);
    case 'encoded':
      return onEncoded(state, event.files, now);
    case 'claimCreated':
      // Whoever won, and whether or not the answer came: what stands in the store is the claim.
      return work(state, { type: 'readClaim', start: state.position });
    case 'published':
      return confirm(state, false);
    case 'confirmed':
      return onConfirmed(state);
    case 'committed':
      state.committed = state.position;
      return openSpool(state);
    case 'drain':
      state.drainTo = event.until;
      return continueReading(state, now);
    case 'cut':
      return state.phase === 'reading' && state.claim === undefined ? cut(state) : [];
    case 'tick':
      return onTick(state, now);
    case 'failed':
      retryLater(state, now);
      return [];
  }
}

function work(state: MutableChain, effect: ChainEffect): Effects {
  state.phase = 'working';
  return [effect];
}

function open(state: MutableChain): Effects {
  const { config, pace, drainTo, failures, blocked } = state;
  Object.assign(state, newChain(config), { pace, drainTo, failures, blocked });
  return work(state, { type: 'list' });
}

function onListed(
  state: MutableChain,
  event: Extract<ChainEvent, { type: 'listed' }>,
  now: number,
): Effects {
  const { genesis, claims, dones } = event;
  const first = claims[0];
  if (genesis === undefined) {
    if (first === undefined) return work(state, { type: 'findFirst' });
    return work(state, { type: 'createGenesis', start: first });
  }
  const last = claims.at(-1);
  const known = new Set(claims);
  const removed = [...dones].find((start) => start < (last ?? 0) && !known.has(start));
  if (removed !== undefined && last !== undefined) {
    return broken(state, last, removed, now);
  }
  state.position = claims.find((start) => !dones.has(start)) ?? last ?? genesis;
  state.lastListed = last ?? -1;
  return work(state, { type: 'readClaim', start: state.position });
}

function onClaimRead(
  state: MutableChain,
  event: Extract<ChainEvent, { type: 'claimRead' }>,
  now: number,
): Effects {
  const { claim, done, publishedEnd } = event;
  if (claim === undefined) {
    state.mustEnd = publishedEnd;
    return atHead(state, now);
  }
  if (done) {
    state.position = claim.end + 1;
    state.own = undefined;
    return work(state, { type: 'readClaim', start: claim.end + 1 });
  }
  state.claim = claim;
  if (state.own !== undefined && sameDecision(state.own, claim)) {
    return work(state, { type: 'publish', claim });
  }
  return work(state, { type: 'inspect', claim });
}

/** No claim stands at the position: the next one is ours to make. */
function atHead(state: MutableChain, now: number): Effects {
  const { position, lastListed } = state;
  if (lastListed > position) {
    return broken(state, lastListed, position, now);
  }
  state.claim = undefined;
  state.own = undefined;
  state.refilled = false;
  if (state.committed !== position) return work(state, { type: 'commit', offset: position });
  return openSpool(state);
}

function broken(state: MutableChain, last: number, removed: number, now: number): Effects {
  const message =
    `The chain has a claim at ${last} but none at ${removed}: ` +
    'a claim file was removed. Restore it from a backup of the archive.';
  return block(state, { code: 'CHAIN_BROKEN', message }, now);
}

function openSpool(state: MutableChain): Effects {
  return work(state, { type: 'openSpool', start: state.position, fresh: false });
}

function onInspected(state: MutableChain, verdict: 'complete' | 'incomplete'): Effects {
  return verdict === 'complete' ? confirm(state, false) : openSpool(state);
}

function onSpooled(state: MutableChain, spool: SpoolLevel, now: number): Effects {
  state.spool = spool;
  // Records have come in: whatever was wrong is over.
  if (state.phase === 'reading') recover(state);
  return proceed(state, now);
}

function continueReading(state: MutableChain, now: number): Effects {
  return state.phase === 'reading' ? proceed(state, now) : [];
}

/** Goes on with what is in the spool: read more, cut, or finish a claim. */
function proceed(state: MutableChain, now: number): Effects {
  const { spool, claim } = state;
  if (spool === undefined) return [];
  if (claim !== undefined) return fill(state, spool, claim);
  if (isCutDue(state, spool, now)) return cut(state);
  return read(state, spool, state.mustEnd);
}

function isCutDue(state: MutableChain, spool: SpoolLevel, now: number): boolean {
  const { mustEnd, drainTo } = state;
  if (mustEnd !== undefined) return spool.position > mustEnd;
  if (drainTo !== undefined && spool.position >= drainTo && spool.records > 0) return true;
  return cutReason(spool, state.config.rotation, state.pace, now) !== undefined;
}

/** One cut for the whole partition: whatever key or hour its records are for. */
function cut(state: MutableChain): Effects {
  const { spool, config } = state;
  if (spool === undefined || spool.position === spool.start) return [];
  const { settings } = config;
  const { start } = spool;
  const end = cutEnd(state, spool);
  return work(state, { type: 'encode', start, end, settings, hasPlainNames: false });
}

/** The last offset of the next claim of ours. */
function cutEnd(state: MutableChain, spool: SpoolLevel): number {
  return Math.min(state.mustEnd ?? Infinity, spool.position - 1);
}

/** A claim is there, its files are not: they are made from the spool and, beyond it, the log. */
function fill(state: MutableChain, spool: SpoolLevel, claim: Claim): Effects {
  if (spool.position > claim.end) {
    const hasPlainNames = differInCaseAlone(claim.files.map(({ name }) => name));
    const { start, end, settings } = claim;
    return work(state, { type: 'encode', start, end, settings, hasPlainNames });
  }
  return read(state, spool, claim.end);
}

function read(state: MutableChain, spool: SpoolLevel, until: number | undefined): Effects {
  if (state.phase === 'reading') return [];
  state.phase = 'reading';
  return [{ type: 'read', from: spool.position, until }];
}

function onOutOfRange(state: MutableChain, logStart: number, logEnd: number, now: number): Effects {
  const { claim, spool, config } = state;
  if (spool === undefined) return [];
  const position = spool.position;
  if (logStart <= position) {
    const message =
      `The archive stands at offset ${position}, but the topic ends at ${logEnd}: ` +
      'records were lost in the broker. Restore them, or archive under a new sink name.';
    return block(state, { code: 'LOG_BEHIND', message }, now);
  }
  if (claim === undefined && position > spool.start) return cut(state);
  if (!config.acceptGap) {
    const message =
      `Retention has removed offsets ${position} to ${logStart - 1} before they were archived. ` +
      'Raise retention.ms; start once with --accept-gap to go on without them.';
    return block(state, { code: 'RETENTION_PASSED', message }, now);
  }
  if (claim !== undefined) return confirm(state, true);
  return tryClaim(state, 'gap', position, logStart - 1, []);
}

function onEncoded(state: MutableChain, files: Claim['files'], now: number): Effects {
  const { claim, spool, position } = state;
  if (spool === undefined) return open(state);
  if (claim === undefined) {
    state.pace = paceAfter(state.pace, state.config.rotation, spool.sinceMs, now);
    return tryClaim(state, 'cut', position, cutEnd(state, spool), files);
  }
  if (sameFiles(files, claim.files)) return work(state, { type: 'publish', claim });
  if (!state.refilled) {
    // The spool may have been torn: the log has the last word.
    state.refilled = true;
    return work(state, { type: 'openSpool', start: position, fresh: true });
  }
  const message =
    `Offsets ${claim.start} to ${claim.end} do not give the content that their claim names: ` +
    'the topic was changed behind the archive, or another version of logflume made the claim.';
  return block(state, { code: 'CONTENT_DIFFERS', message }, now);
}

function tryClaim(
  state: MutableChain,
  kind: Claim['kind'],
  start: number,
  end: number,
  files: Claim['files'],
): Effects {
  const { settings, writer } = state.config;
  const own: Decision = { version: 1, kind, start, end, settings, files, writer };
  state.own = own;
  return work(state, { type: 'createClaim', claim: own });
}

function confirm(state: MutableChain, lost: boolean): Effects {
  const { claim } = state;
  if (claim === undefined) return open(state);
  return work(state, { type: 'confirm', claim, lost });
}

function onConfirmed(state: MutableChain): Effects {
  const { claim } = state;
  if (claim === undefined) return open(state);
  const position = claim.end + 1;
  state.position = position;
  state.claim = undefined;
  state.own = undefined;
  state.mustEnd = undefined;
  state.spool = undefined;
  state.refilled = false;
  recover(state);
  // Another writer may have gone on meanwhile: the walk never ends on a guess.
  return work(state, { type: 'readClaim', start: position });
}

function onTick(state: MutableChain, now: number): Effects {
  if (state.phase === 'waiting' && state.failures > 0 && now >= state.retryAt) return open(state);
  // Nothing comes in, and nothing has failed for long: whatever was wrong is over.
  if (state.phase === 'reading' && now - state.retryAt >= LAST_RETRY_MS) recover(state);
  return continueReading(state, now);
}

function recover(state: MutableChain): void {
  state.failures = 0;
  state.blocked = undefined;
}

function retryLater(state: MutableChain, now: number): void {
  state.failures += 1;
  const backoffMs = Math.min(FIRST_RETRY_MS * 2 ** (state.failures - 1), LAST_RETRY_MS);
  state.phase = 'waiting';
  state.retryAt = now + backoffMs;
}

/** Stands still with an alarm, and looks again from time to time: a person may have mended it. */
function block(state: MutableChain, blocked: Blocked, now: number): Effects {
  state.blocked = blocked;
  retryLater(state, now);
  return [{ type: 'alarm', blocked }];
}
