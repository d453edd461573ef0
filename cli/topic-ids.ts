import { withAdmin } from './clients.js';
import type { Context } from './context.js';

const ASK_MS = 5_000;

/** The ids of topics as they are now; undefined where no broker tells. */
export async function topicIds(
  context: Context,
  bootstrap: string | undefined,
  topics: readonly string[],
): Promise<string[] | undefined> {
  if (bootstrap === undefined) return undefined;
  try {
    return await withAdmin(context, { bootstrap, timeout: ASK_MS }, async (admin) => {
      const all = await admin.listTopics();
      return all.filter(({ name }) => topics.includes(name)).map(({ topicId }) => topicId);
    });
  } catch {
    // The comparison is stricter without: files of an earlier topic count as strangers then.
    return undefined;
  }
}
