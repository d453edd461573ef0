export { newChain, step } from './chain.js';
export {
  type Claim,
  type ClaimedFile,
  type ContentSettings,
  type Done,
  decodeClaim,
  decodeDone,
  decodeGenesis,
  type StoredFile,
} from './claim.js';
export { ChainLinks, listingOf } from './links.js';
export type { Rotation, SpoolLevel } from './rotation.js';
export type { Blocked, ChainConfig, ChainEffect, ChainEvent, ChainState } from './state.js';
