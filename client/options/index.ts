export {
  bootstrapRule,
  checkOptions,
  checkValue,
  clusterRules,
  invalidOption,
  partitionRule,
} from './options.js';
