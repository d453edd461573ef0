import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { System } from '../../system/index.js';
import { createRealSystem } from '../../system/real/index.js';
import { createSimSystem } from '../../system/sim/index.js';

/** One of the two implementations, ready for one test. */
export interface World {
  readonly system: System;
  /** An empty directory. */
  readonly directory: string;
  /** Runs the test's body; on virtual time where the world has it. */
  run<T>(body: () => Promise<T>): Promise<T>;
  /** A symbolic link, which `Disk` itself never makes. */
  symlink(target: string, path: string): Promise<void>;
  close(): void;
}

export const worlds: readonly [string, () => World][] = [
  ['real', createRealWorld],
  ['sim', createSimWorld],
];

function createRealWorld(): World {
  const directory = mkdtempSync(join(tmpdir(), 'logflume-system-'));
  return {
    system: createRealSystem({ logLevel: 'silent' }),
    directory,
    run: (body) => body(),
    symlink: async (target, path) => {
      const { symlinkSync } = await import('node:fs');
      symlinkSync(target, path);
    },
    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function createSimWorld(): World {
  const sim = createSimSystem({ seed: 7 });
  const system = sim.process('test');
  system.disk.makeDirectorySync('/test');
  return {
    system,
    directory: '/test',
    run: (body) => sim.run(body),
    symlink: async (target, path) => sim.volume().symlink(target, path),
    close: () => {},
  };
}
