/** Above this, `Buffer.copy` is faster than a loop, whatever its fixed cost. */
const LOOP_MAX_BYTES = 256;

/** The source seen last and a view of it: records come from one buffer for a whole batch. */
let seen: Buffer = Buffer.alloc(0);
let seenView = viewOf(seen);

/** A view of the same bytes, for access by words. */
export function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/**
 * Copies `source[start, end)` to `target[at, …)`, which must have room; `targetView` is a view of
 * it. For the length of a line a loop over words takes half the time of `Buffer.copy`, which makes
 * a view of part of the source: that counts once per record.
 */
export function copyBytes(
  source: Buffer,
  start: number,
  end: number,
  target: Buffer,
  targetView: DataView,
  at: number,
): void {
  if (end - start > LOOP_MAX_BYTES) {
    source.copy(target, at, start, end);
    return;
  }
  const view = viewOfSource(source);
  const lastWord = end - 4;
  let from = start;
  let to = at;
  for (; from <= lastWord; from += 4, to += 4) {
    targetView.setInt32(to, view.getInt32(from, true), true);
  }
  for (; from < end; from += 1, to += 1) target[to] = source[from] as number;
}

/** Whether `a[start, end)` holds the bytes that `b` views; for keys, which are short. */
export function equalBytes(a: Buffer, start: number, end: number, b: DataView): boolean {
  if (end - start !== b.byteLength) return false;
  const view = viewOfSource(a);
  let at = b.byteLength;
  // From the end: keys of one host begin alike.
  for (at -= 4; at >= 0; at -= 4) if (view.getInt32(start + at) !== b.getInt32(at)) return false;
  for (at += 3; at >= 0; at -= 1) if (view.getInt8(start + at) !== b.getInt8(at)) return false;
  return true;
}

function viewOfSource(source: Buffer): DataView {
  if (source !== seen) {
    seen = source;
    seenView = viewOf(source);
  }
  return seenView;
}
