export { Agent, type AgentOptions, type AgentStatus } from './agent.js';
export type { Finding } from './finding.js';
export type {
  Interceptor,
  InterceptorComponent,
  InterceptorContext,
  RecordView,
} from './interceptors/index.js';
export { type AgentComponents, type AgentConfig, agentComponents, agentSection } from './schema.js';
export type { Source, SourceComponent, SourceContext, SourceStatus } from './sources/index.js';
