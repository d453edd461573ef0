import fc from 'fast-check';
import { seed } from './rounds.js';

// What fast-check makes goes by the seed of the other generators.
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });

export { fc };
