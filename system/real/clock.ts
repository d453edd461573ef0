import type { Clock, Timer } from '../clock.js';

/**
 * The machine's clock. Timers are not unref'd: an agent that waits to reconnect has nothing but
 * its timer to keep it alive. Whoever stops therefore cancels its timers.
 */
export function createClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after: startTimer,
    nextTurn: (callback) => {
      setImmediate(callback);
    },
    sleep,
  };
}

/** Node fires timers beyond this at once. */
const longestDelayMs = 2 ** 31 - 1;

function startTimer(delayMs: number, callback: () => void): Timer {
  // What is overdue is due now; Node 24 and later print a warning about a delay below zero.
  const handle = setTimeout(callback, Math.max(0, Math.min(delayMs, longestDelayMs)));
  return { cancel: () => clearTimeout(handle) };
}

function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      timer.cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = startTimer(delayMs, finish);
    signal?.addEventListener('abort', finish);
  });
}
