import { DescribeCluster, ErrorCode } from '../../protocol/index.js';
import { handler } from '../handler.js';

/** Endpoint type 2 asks for controllers: this broker is its own, but has no port for that. */
const BROKERS = 1;

export const describeCluster = handler(DescribeCluster, (request, { cluster, endpoint }) => {
  const { endpointType } = request;
  const clusterId = cluster.id;
  if (endpointType !== BROKERS) {
    const errorCode = ErrorCode.UNSUPPORTED_ENDPOINT_TYPE;
    return { errorCode, clusterId, endpointType, controllerId: -1, brokers: [] };
  }
  return {
    errorCode: ErrorCode.NONE,
    clusterId,
    endpointType,
    controllerId: cluster.nodeId,
    brokers: [{ brokerId: cluster.nodeId, ...endpoint }],
  };
});
