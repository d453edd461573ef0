export { address, duration, secret, size } from './primitives.js';
export { Secret } from './secret.js';
export { type TelemetryConfig, telemetrySection } from './telemetry.js';
export {
  type Address,
  formatAddress,
  formatDuration,
  formatSize,
  parseAddress,
  parseDuration,
  parseSize,
} from './units.js';
