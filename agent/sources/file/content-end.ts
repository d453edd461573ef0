import type { Content } from './content.js';
import type { Place } from './generation.js';
import { markBytes, markOf } from './mark.js';

/** Reads to the end of the content, which is the only way to find it where it is compressed. */
export async function endOf(content: Content): Promise<Place> {
  const buffer = Buffer.allocUnsafe(64 * 1024);
  let position = 0;
  let tail = markOf(buffer, 0, 0);
  for (;;) {
    // Each read overlaps the last one, so that its end has the whole mark before it.
    const lead = Math.min(position, markBytes);
    const bytes = await content.read(buffer, 0, buffer.length, position - lead);
    if (bytes <= lead) return { position, tail };
    position += bytes - lead;
    tail = markOf(buffer, Math.max(0, bytes - markBytes), bytes);
  }
}
