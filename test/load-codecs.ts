import { loadCodec } from '../protocol/records/index.js';

// Where zstd is WebAssembly, a simulation would wait for the real disk in the middle of its run.
await loadCodec('zstd');
