export { FileSource } from './file-source.js';
export { type FileOptions, fileOptions } from './options.js';
export { fileOutlook } from './outlook.js';
