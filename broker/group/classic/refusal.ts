import type { Reply } from './events.js';
import { EMPTY_ASSIGNMENT } from './model.js';
import { joinError } from './turn.js';

export type ReplyOf<Kind extends Reply['kind']> = Extract<Reply, { readonly kind: Kind }>;

const refusals: { [Kind in Reply['kind']]: (errorCode: number) => ReplyOf<Kind> } = {
  join: (errorCode) => joinError('', errorCode),
  sync: (errorCode) => ({
    kind: 'sync',
    errorCode,
    protocolType: null,
    protocol: null,
    assignment: EMPTY_ASSIGNMENT,
  }),
  leave: (errorCode) => ({ kind: 'leave', errorCode, memberErrors: [] }),
  plain: (errorCode) => ({ kind: 'plain', errorCode }),
};

/** The answer that holds nothing but an error. */
export function refusal<Kind extends Reply['kind']>(kind: Kind, errorCode: number): ReplyOf<Kind> {
  return refusals[kind](errorCode);
}
