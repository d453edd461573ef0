/** What rotation appends to a name: a number, a date or a word, and how it was compressed. */
const suffix = /[.\-_](?:\d[\dT:.\-_]*|old|bak|orig)$|\.(?:gz|bz2|xz|zst|Z)$/i;

/** The names `path` may have had before it was rotated: `a.log.1.gz` → `a.log.1`, `a.log`. */
export function earlierNames(path: string): string[] {
  const names: string[] = [];
  let name = path;
  for (;;) {
    const shorter = name.replace(suffix, '');
    if (shorter === name || shorter === '' || shorter.endsWith('/')) return names;
    names.push(shorter);
    name = shorter;
  }
}

/** Whether rotation may have made `path` from `origin`. */
export function isRotationOf(path: string, origin: string): boolean {
  return path.length > origin.length && earlierNames(path).includes(origin);
}

/** The path whose key a file first seen under `path` bears: its shortest known earlier name. */
export function originOf(path: string, isKnown: (path: string) => boolean): string {
  return earlierNames(path).findLast(isKnown) ?? path;
}
