import { DescribeCluster, ErrorCode } from '../../protocol/index.js';
import { handler } from '../handler.js';

/** Endpoint type 2 asks for controllers: this broker is its own, but has no port for that. */
const BROKERS = 1;

export const describeCluster = handler(DescribeCluster, (request, { services, endpoint }) => {
  const { endpointType } = request;
  const { clusterId } = services.metadata.image;
  if (endpointType !== BROKERS) {
    const errorCode = ErrorCode.UNSUPPORTED_ENDPOINT_TYPE;
    return { errorCode, clusterId, endpointType, controllerId: -1, brokers: [] };
  }
  return {
    errorCode: ErrorCode.NONE,
    clusterId,
    endpointType,
    controllerId: services.nodeId,
    brokers: [{ brokerId: services.nodeId, ...endpoint }],
  };
});
