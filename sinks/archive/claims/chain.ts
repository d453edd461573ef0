import { differInCaseAlone } from '../names.js';
import { type Claim, type Decision, sameDecision, sameFiles } from './claim.js';
import { cutReason, paceAfter, type SpoolLevel } from './rotation.js';
import type { Blocked, ChainConfig, ChainEffect, ChainEvent, ChainState } from './state.js';

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;

/** The new state, and what is to be done now (nothing: the effect under way goes on). */
export type Step = readonly [ChainState, readonly ChainEffect[]];

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
export function step(state: ChainState, event: ChainEvent, now: number): Step {
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
      return openSpool({ ...state, committed: state.position });
    case 'drain':
      return continueReading({ ...state, drainTo: event.until }, now);
    case 'cut':
      return state.phase === 'reading' && state.claim === undefined ? cut(state) : [state, []];
    case 'tick':
      return onTick(state, now);
    case 'failed':
      return [retryLater({ ...state, failures: state.failures + 1 }, now), []];
  }
}

function work(state: ChainState, effect: ChainEffect): Step {
  return [{ ...state, phase: 'working' }, [effect]];
}

function open(state: ChainState): Step {
  const { config, pace, drainTo, failures, blocked } = state;
  return work({ ...newChain(config), pace, drainTo, failures, blocked }, { type: 'list' });
}

function onListed(
  state: ChainState,
  event: Extract<ChainEvent, { type: 'listed' }>,
  now: number,
): Step {
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
  const position = claims.find((start) => !dones.has(start)) ?? last ?? genesis;
  const walking = { ...state, position, lastListed: last ?? -1 };
  return work(walking, { type: 'readClaim', start: position });
}

function onClaimRead(
  state: ChainState,
  event: Extract<ChainEvent, { type: 'claimRead' }>,
  now: number,
): Step {
  const { claim, done, publishedEnd } = event;
  if (claim === undefined) return atHead({ ...state, mustEnd: publishedEnd }, now);
  if (done) {
    return work(
      { ...state, position: claim.end + 1, own: undefined },
      { type: 'readClaim', start: claim.end + 1 },
    );
  }
  const finishing = { ...state, claim };
  if (state.own !== undefined && sameDecision(state.own, claim)) {
    return work(finishing, { type: 'publish', claim });
  }
  return work(finishing, { type: 'inspect', claim });
}

/** No claim stands at the position: the next one is ours to make. */
function atHead(state: ChainState, now: number): Step {
  const { position, lastListed } = state;
  if (lastListed > position) {
    return broken(state, lastListed, position, now);
  }
  const head = { ...state, claim: undefined, own: undefined, refilled: false };
  if (state.committed !== position) return work(head, { type: 'commit', offset: position });
  return openSpool(head);
}

function broken(state: ChainState, last: number, removed: number, now: number): Step {
  const message =
    `The chain has a claim at ${last} but none at ${removed}: ` +
    'a claim file was removed. Restore it from a backup of the archive.';
  return block(state, { code: 'CHAIN_BROKEN', message }, now);
}

function openSpool(state: ChainState): Step {
  return work(state, { type: 'openSpool', start: state.position, fresh: false });
}

function onInspected(state: ChainState, verdict: 'complete' | 'incomplete'): Step {
  return verdict === 'complete' ? confirm(state, false) : openSpool(state);
}

function onSpooled(state: ChainState, spool: SpoolLevel, now: number): Step {
  if (state.phase !== 'reading') return proceed({ ...state, spool }, now);
  // Records have come in: whatever was wrong is over.
  return proceed({ ...state, spool, failures: 0, blocked: undefined }, now);
}

function continueReading(state: ChainState, now: number): Step {
  return state.phase === 'reading' ? proceed(state, now) : [state, []];
}

/** Goes on with what is in the spool: read more, cut, or finish a claim. */
function proceed(state: ChainState, now: number): Step {
  const { spool, claim } = state;
  if (spool === undefined) return [state, []];
  if (claim !== undefined) return fill(state, spool, claim);
  if (isCutDue(state, spool, now)) return cut(state);
  return read(state, spool, state.mustEnd);
}

function isCutDue(state: ChainState, spool: SpoolLevel, now: number): boolean {
  const { mustEnd, drainTo } = state;
  if (mustEnd !== undefined) return spool.position > mustEnd;
  if (drainTo !== undefined && spool.position >= drainTo && spool.records > 0) return true;
  return cutReason(spool, state.config.rotation, state.pace, now) !== undefined;
}

/** One cut for the whole partition: whatever key or hour its records are for. */
function cut(state: ChainState): Step {
  const { spool, config } = state;
  if (spool === undefined || spool.position === spool.start) return [state, []];
  const { settings } = config;
  const { start } = spool;
  const end = cutEnd(state, spool);
  return work(state, { type: 'encode', start, end, settings, hasPlainNames: false });
}

/** The last offset of the next claim of ours. */
function cutEnd(state: ChainState, spool: SpoolLevel): number {
  return Math.min(state.mustEnd ?? Infinity, spool.position - 1);
}

/** A claim is there, its files are not: they are made from the spool and, beyond it, the log. */
function fill(state: ChainState, spool: SpoolLevel, claim: Claim): Step {
  if (spool.position > claim.end) {
    const hasPlainNames = differInCaseAlone(claim.files.map(({ name }) => name));
    const { start, end, settings } = claim;
    return work(state, { type: 'encode', start, end, settings, hasPlainNames });
  }
  return read(state, spool, claim.end);
}

function read(state: ChainState, spool: SpoolLevel, until: number | undefined): Step {
  if (state.phase === 'reading') return [state, []];
  return [{ ...state, phase: 'reading' }, [{ type: 'read', from: spool.position, until }]];
}

function onOutOfRange(state: ChainState, logStart: number, logEnd: number, now: number): Step {
  const { claim, spool, config } = state;
  if (spool === undefined) return [state, []];
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

function onEncoded(state: ChainState, files: Claim['files'], now: number): Step {
  const { claim, spool, position } = state;
  if (spool === undefined) return open(state);
  if (claim === undefined) {
    const pace = paceAfter(state.pace, state.config.rotation, spool.sinceMs, now);
    return tryClaim({ ...state, pace }, 'cut', position, cutEnd(state, spool), files);
  }
  if (sameFiles(files, claim.files)) return work(state, { type: 'publish', claim });
  if (!state.refilled) {
    // The spool may have been torn: the log has the last word.
    const refilled = { ...state, refilled: true };
    return work(refilled, { type: 'openSpool', start: position, fresh: true });
  }
  const message =
    `Offsets ${claim.start} to ${claim.end} do not give the content that their claim names: ` +
    'the topic was changed behind the archive, or another version of logflume made the claim.';
  return block(state, { code: 'CONTENT_DIFFERS', message }, now);
}

function tryClaim(
  state: ChainState,
  kind: Claim['kind'],
  start: number,
  end: number,
  files: Claim['files'],
): Step {
  const { settings, writer } = state.config;
  const own: Decision = { version: 1, kind, start, end, settings, files, writer };
  return work({ ...state, own }, { type: 'createClaim', claim: own });
}

function confirm(state: ChainState, lost: boolean): Step {
  const { claim } = state;
  if (claim === undefined) return open(state);
  return work(state, { type: 'confirm', claim, lost });
}

function onConfirmed(state: ChainState): Step {
  const { claim } = state;
  if (claim === undefined) return open(state);
  const position = claim.end + 1;
  const next = { ...state, position, claim: undefined, own: undefined, mustEnd: undefined };
  // Another writer may have gone on meanwhile: the walk never ends on a guess.
  return work(
    { ...next, spool: undefined, refilled: false, failures: 0, blocked: undefined },
    { type: 'readClaim', start: position },
  );
}

function onTick(state: ChainState, now: number): Step {
  if (state.phase === 'waiting' && state.failures > 0 && now >= state.retryAt) return open(state);
  // Nothing comes in, and nothing has failed for long: whatever was wrong is over.
  const isWell = state.phase === 'reading' && now - state.retryAt >= LAST_RETRY_MS;
  return continueReading(isWell ? { ...state, failures: 0, blocked: undefined } : state, now);
}

function retryLater(state: ChainState, now: number): ChainState {
  const backoffMs = Math.min(FIRST_RETRY_MS * 2 ** (state.failures - 1), LAST_RETRY_MS);
  return { ...state, phase: 'waiting', retryAt: now + backoffMs };
}

/** Stands still with an alarm, and looks again from time to time: a person may have mended it. */
function block(state: ChainState, blocked: Blocked, now: number): Step {
  const failed = { ...state, failures: state.failures + 1, blocked };
  return [retryLater(failed, now), [{ type: 'alarm', blocked }]];
}
