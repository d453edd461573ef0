import * as zlib from 'node:zlib';
import { defineConfig } from 'vitest/config';

/** What needs real peers or kills real processes; `npm test` does without. */
const heavy = ['test/interop/**', 'test/chaos/**'];

/** Tests that make their cases by seeds: longer with LOGFLUME_ROUNDS (`npm run test:soak`). */
const generators = [
  'agent/file-life',
  'agent/maildrop-property',
  'broker/disk-faults',
  'broker/group/random-events',
  'broker/hostile-fields',
  'client/consumer-programs',
  'client/producer/programs',
  'protocol/sizes',
  'sinks/archive/trouble',
  'sinks/delivery/moods',
  'system/clock-steps',
].map((name) => `test/${name}.test.ts`);

const anHour = 3_600_000;

const oneAfterTheOther = { testTimeout: 300_000, hookTimeout: 300_000, fileParallelism: false };

/** Before Node 22.15 a codec has to be loaded before it can be used. */
const setupFiles = 'zstdCompressSync' in zlib ? [] : ['test/load-codecs.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 30_000,
    // Vitest leaves a core to itself, which is half of two.
    maxWorkers: '100%',
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: heavy, setupFiles },
      },
      {
        extends: true,
        test: { name: 'interop', include: ['test/interop/**/*.test.ts'], ...oneAfterTheOther },
      },
      {
        extends: true,
        test: { name: 'generators', include: generators, setupFiles, testTimeout: anHour },
      },
      {
        extends: true,
        test: {
          name: 'chaos',
          include: ['test/chaos/**/*.test.ts'],
          ...oneAfterTheOther,
          testTimeout: anHour,
        },
      },
    ],
  },
});
