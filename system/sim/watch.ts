import { posix } from 'node:path';
import type { Watch } from '../watch.js';
import type { SimVolume } from './disk-paths.js';
import type { Life } from './life.js';
import type { SeededRandom } from './random.js';
import type { Scheduler } from './scheduler.js';

const maxLatencyMs = 20;

/** Hints about the volume's changes; each comes late, and several may come as one. */
export function createSimWatch(
  volume: SimVolume,
  life: Life,
  scheduler: Scheduler,
  random: SeededRandom,
): Watch {
  return {
    directories: async (roots, events) => {
      const pending = new Set<string>();
      const stop = volume.observe((path) => {
        const hit = roots.some((root) => isBelow(path, root.path, root.recursive));
        if (!hit || pending.has(path)) return;
        pending.add(path);
        scheduler.after(random.float() * maxLatencyMs, life, () => {
          pending.delete(path);
          if (!stopped) events.onChange(path);
        });
      });
      let stopped = false;
      life.onEnd(stop);
      return {
        close: async () => {
          stopped = true;
          stop();
        },
      };
    },
  };
}

function isBelow(path: string, root: string, recursive: boolean): boolean {
  const base = posix.resolve('/', root);
  if (path === base) return true;
  if (!recursive) return posix.dirname(path) === base;
  return path.startsWith(base === '/' ? '/' : `${base}/`);
}
