/** What plugins are made of: see docs/plugins.md. */
export type {
  Finding,
  Interceptor,
  InterceptorComponent,
  InterceptorContext,
  RecordView,
  Source,
  SourceComponent,
  SourceContext,
  SourceStatus,
} from './agent/index.js';
export {
  address,
  type Component,
  type ComponentOptions,
  duration,
  type OptionsSchema,
  type Secret,
  secret,
  size,
  topicName,
  type WebUrl,
  webUrl,
  z,
} from './config/index.js';
export {
  type CutOrigin,
  type Delivery,
  type Destination,
  type DestinationComponent,
  type DestinationContext,
  deliverySink,
  type Verdict,
} from './sinks/delivery/index.js';
export type {
  FormatComponent,
  SinkComponent,
  SinkContext,
  StoreComponent,
} from './sinks/index.js';
export type { System } from './system/index.js';
