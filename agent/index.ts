export { Agent, type AgentOptions, type AgentStatus } from './agent.js';
export type { Finding } from './finding.js';
export { type AgentConfig, agentSection } from './schema.js';
export type { SourceStatus } from './sources/index.js';
export { sourceOutlook } from './sources/index.js';
