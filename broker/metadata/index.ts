export { ClusterMetadata, type TopicChange } from './cluster-metadata.js';
export { FileMetadataStore } from './file-store.js';
export type { MetadataImage, PartitionState, TopicState } from './image.js';
export type { Change, Json, MetadataStore, Versioned } from './store.js';
