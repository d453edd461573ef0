import { ErrorCode, FindCoordinator } from '../../protocol/index.js';
import { handler, type RequestContext } from '../handler.js';

/** Since this version several keys are looked up at once. */
const FIRST_WITH_MANY_KEYS = 4;
const GROUP = 0;
const TRANSACTION = 1;

/** Which broker looks after a group: this one, under the address that the client came in by. */
export const findCoordinator = handler(FindCoordinator, (request, context) => {
  const answer = answerFor(request.keyType, context);
  if (context.apiVersion < FIRST_WITH_MANY_KEYS) return answer;
  return { coordinators: request.coordinatorKeys.map((key) => ({ key, ...answer })) };
});

function answerFor(keyType: number, { services, endpoint }: RequestContext) {
  if (keyType === GROUP) {
    const { host, port } = endpoint;
    const none = { errorCode: ErrorCode.NONE, errorMessage: null };
    return { nodeId: services.nodeId, host, port, ...none };
  }
  const what = keyType === TRANSACTION ? 'transactions' : `coordinators of type ${keyType}`;
  const errorMessage = `this broker has no ${what} yet`;
  return { nodeId: -1, host: '', port: -1, errorCode: ErrorCode.INVALID_REQUEST, errorMessage };
}
