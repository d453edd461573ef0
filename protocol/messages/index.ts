export {
  Produce,
  type ProduceRequest,
  type ProduceRequestInput,
  type ProduceResponse,
  type ProduceResponseInput,
} from './00-produce.js';
export {
  Fetch,
  type FetchRequest,
  type FetchRequestInput,
  type FetchResponse,
  type FetchResponseInput,
} from './01-fetch.js';
export {
  ListOffsets,
  type ListOffsetsRequest,
  type ListOffsetsRequestInput,
  type ListOffsetsResponse,
  type ListOffsetsResponseInput,
} from './02-list-offsets.js';
export {
  Metadata,
  type MetadataRequest,
  type MetadataRequestInput,
  type MetadataResponse,
  type MetadataResponseInput,
} from './03-metadata.js';
export {
  OffsetCommit,
  type OffsetCommitRequest,
  type OffsetCommitRequestInput,
  type OffsetCommitResponse,
  type OffsetCommitResponseInput,
} from './08-offset-commit.js';
export {
  OffsetFetch,
  type OffsetFetchRequest,
  type OffsetFetchRequestInput,
  type OffsetFetchResponse,
  type OffsetFetchResponseInput,
} from './09-offset-fetch.js';
export {
  FindCoordinator,
  type FindCoordinatorRequest,
  type FindCoordinatorRequestInput,
  type FindCoordinatorResponse,
  type FindCoordinatorResponseInput,
} from './10-find-coordinator.js';
export {
  JoinGroup,
  type JoinGroupRequest,
  type JoinGroupRequestInput,
  type JoinGroupResponse,
  type JoinGroupResponseInput,
} from './11-join-group.js';
export {
  Heartbeat,
  type HeartbeatRequest,
  type HeartbeatRequestInput,
  type HeartbeatResponse,
  type HeartbeatResponseInput,
} from './12-heartbeat.js';
export {
  LeaveGroup,
  type LeaveGroupRequest,
  type LeaveGroupRequestInput,
  type LeaveGroupResponse,
  type LeaveGroupResponseInput,
} from './13-leave-group.js';
export {
  SyncGroup,
  type SyncGroupRequest,
  type SyncGroupRequestInput,
  type SyncGroupResponse,
  type SyncGroupResponseInput,
} from './14-sync-group.js';
export {
  DescribeGroups,
  type DescribeGroupsRequest,
  type DescribeGroupsRequestInput,
  type DescribeGroupsResponse,
  type DescribeGroupsResponseInput,
} from './15-describe-groups.js';
export {
  ListGroups,
  type ListGroupsRequest,
  type ListGroupsRequestInput,
  type ListGroupsResponse,
  type ListGroupsResponseInput,
} from './16-list-groups.js';
export {
  ApiVersions,
  type ApiVersionsRequest,
  type ApiVersionsRequestInput,
  type ApiVersionsResponse,
  type ApiVersionsResponseInput,
} from './18-api-versions.js';
export {
  CreateTopics,
  type CreateTopicsRequest,
  type CreateTopicsRequestInput,
  type CreateTopicsResponse,
  type CreateTopicsResponseInput,
} from './19-create-topics.js';
export {
  DeleteTopics,
  type DeleteTopicsRequest,
  type DeleteTopicsRequestInput,
  type DeleteTopicsResponse,
  type DeleteTopicsResponseInput,
} from './20-delete-topics.js';
export {
  InitProducerId,
  type InitProducerIdRequest,
  type InitProducerIdRequestInput,
  type InitProducerIdResponse,
  type InitProducerIdResponseInput,
} from './22-init-producer-id.js';
export {
  OffsetForLeaderEpoch,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochRequestInput,
  type OffsetForLeaderEpochResponse,
  type OffsetForLeaderEpochResponseInput,
} from './23-offset-for-leader-epoch.js';
export {
  DescribeConfigs,
  type DescribeConfigsRequest,
  type DescribeConfigsRequestInput,
  type DescribeConfigsResponse,
  type DescribeConfigsResponseInput,
} from './32-describe-configs.js';
export {
  CreatePartitions,
  type CreatePartitionsRequest,
  type CreatePartitionsRequestInput,
  type CreatePartitionsResponse,
  type CreatePartitionsResponseInput,
} from './37-create-partitions.js';
export {
  DeleteGroups,
  type DeleteGroupsRequest,
  type DeleteGroupsRequestInput,
  type DeleteGroupsResponse,
  type DeleteGroupsResponseInput,
} from './42-delete-groups.js';
export {
  IncrementalAlterConfigs,
  type IncrementalAlterConfigsRequest,
  type IncrementalAlterConfigsRequestInput,
  type IncrementalAlterConfigsResponse,
  type IncrementalAlterConfigsResponseInput,
} from './44-incremental-alter-configs.js';
export {
  DescribeCluster,
  type DescribeClusterRequest,
  type DescribeClusterRequestInput,
  type DescribeClusterResponse,
  type DescribeClusterResponseInput,
} from './60-describe-cluster.js';
export { ConsumerAssignment, ConsumerSubscription } from './consumer-protocol.js';
export {
  GroupMetadataKey,
  GroupMetadataValue,
  OffsetCommitKey,
  OffsetCommitValue,
} from './group-records.js';
export { RequestHeader, ResponseHeader } from './headers.js';
export { apis } from './registry.js';
export { AbortedTxn, EndTxnMarker, ProducerSnapshot } from './storage-records.js';
