/** Of its own, as commands need it that read no YAML: it comes without zod and yaml. */
export {
  type Address,
  formatAddress,
  formatDuration,
  formatSize,
  parseAddress,
  parseDuration,
  parseSize,
} from './units.js';
