/** Edits (insert, delete, replace) that turn one word into the other: Levenshtein's distance. */
export function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

/** So many edits are a slip of the fingers; more than `MOST_EDITS` make another word. */
const SLIP_EDITS = 2;
const MOST_EDITS = 4;

/**
 * The known word that was most likely meant: the closest within a few edits or, of names made of
 * words, the one that shares most of them; undefined where none is close.
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const candidates = [...known];
  const most = Math.min(Math.max(SLIP_EDITS, Math.floor(word.length / 3)), MOST_EDITS);
  return (
    closest(word, candidates, SLIP_EDITS) ??
    mostShared(word, candidates) ??
    closest(word, candidates, most)
  );
}

function closest(word: string, known: readonly string[], most: number): string | undefined {
  let best: string | undefined;
  let bestDistance = most + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance && distance < candidate.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Of names such as `log.segment.bytes`, the one that shares two words in three at least. */
function mostShared(word: string, known: readonly string[]): string | undefined {
  const own = wordsOf(word);
  const shareOf = (candidate: string) => {
    const others = wordsOf(candidate);
    const shared = [...own].filter((each) => others.has(each)).length;
    return shared < 2 ? 0 : shared / Math.max(own.size, others.size);
  };
  const shares = known.map((candidate) => ({ candidate, share: shareOf(candidate) }));
  const most = Math.max(...shares.map(({ share }) => share));
  if (most < 2 / 3) return undefined;
  const best = shares.filter(({ share }) => share === most).map(({ candidate }) => candidate);
  return closest(word, best, word.length);
}

function wordsOf(name: string): ReadonlySet<string> {
  return new Set(name.toLowerCase().split(/[._-]/));
}

/** `; did you mean "x"?`, or the list of what is known where nothing is close. */
export function suggestion(word: string, known: readonly string[]): string {
  const match = nearest(word, known);
  if (match !== undefined) return `; did you mean "${match}"?`;
  return known.length > 0 && known.length <= 12 ? `; known are ${known.join(', ')}` : '';
}
