export {
  type AnyComponent,
  type Component,
  ComponentError,
  type ComponentOptions,
  componentOf,
  made,
  type OptionsSchema,
  oneOf,
} from './component.js';
export type { Environment } from './environment.js';
export { ConfigError, type Problem } from './errors.js';
export type { Finding } from './finding.js';
export { type Loaded, type LoadOptions, loadConfig, type ReadConfig, readConfig } from './load.js';
export { suggestion } from './options/index.js';
export { address, duration, secret, size, topicName, webUrl } from './primitives.js';
export { Secret } from './secret.js';
export { type TelemetryConfig, telemetrySection } from './telemetry.js';
export * from './units/index.js';
export type { WebUrl } from './web-url.js';
export { z } from './zod.js';
