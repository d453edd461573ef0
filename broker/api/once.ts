/**
 * The elements of a request's array, each once. Who names the same thing a hundred thousand times
 * would get an answer that is a hundred thousand times as large, which no budget sees coming.
 */
export function once<T>(elements: readonly T[], keyOf: (element: T) => string): readonly T[] {
  const byKey = new Map<string, T>();
  for (const element of elements) {
    const key = keyOf(element);
    if (!byKey.has(key)) byKey.set(key, element);
  }
  return byKey.size === elements.length ? elements : [...byKey.values()];
}
