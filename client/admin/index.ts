export { Admin, type AdminOptions, type ClusterDescription } from './admin.js';
export type { ConfigChanges, ConfigEntry, ConfigResource } from './configs.js';
export type { GroupDescription, GroupListing, GroupMemberDescription } from './groups.js';
export type { NewTopic } from './topics.js';
