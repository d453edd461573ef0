/** What `work` gives, or undefined where `signal` aborts first; nothing stays with the signal. */
export async function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  const settled = new AbortController();
  const aborted = new Promise<undefined>((resolve) => {
    const options = { once: true, signal: settled.signal };
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), options);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    settled.abort();
  }
}
