import { ErrorCode, FindCoordinator } from '../../protocol/index.js';
import { handler, type RequestContext } from '../handler.js';

/** Since this version several keys are looked up at once. */
const FIRST_WITH_MANY_KEYS = 4;
const GROUP = 0;
const TRANSACTION = 1;

/** Which broker looks after a group: this one, under the address that the client came in by. */
export const findCoordinator = handler(FindCoordinator, (request, context) => {
  const { keyType, key: only } = request;
  if (context.apiVersion < FIRST_WITH_MANY_KEYS) return answerFor(keyType, only, context);
  const answers = request.coordinatorKeys.map((key) => ({
    key,
    ...answerFor(keyType, key, context),
  }));
  return { coordinators: answers };
});

function answerFor(keyType: number, key: string, { groups, cluster, endpoint }: RequestContext) {
  const nowhere = { nodeId: -1, host: '', port: -1 };
  if (keyType === GROUP) {
    const errorCode = groups.refusal(key, 'DESCRIBE');
    if (errorCode !== ErrorCode.NONE) return { ...nowhere, errorCode, errorMessage: null };
    const { host, port } = endpoint;
    const none = { errorCode: ErrorCode.NONE, errorMessage: null };
    return { nodeId: cluster.nodeId, host, port, ...none };
  }
  const what = keyType === TRANSACTION ? 'transactions' : `coordinators of type ${keyType}`;
  const errorMessage = `this broker has no ${what} yet`;
  return { ...nowhere, errorCode: ErrorCode.INVALID_REQUEST, errorMessage };
}
