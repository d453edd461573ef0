import { loadCodec } from '../protocol/records/index.js';
import type { OutputOptions } from './client-options.js';
import type { Context } from './context.js';
import { ExitCode } from './failure.js';
import { bytesText, Progress } from './progress.js';
import { batchesOfSegment, segmentsBelow } from './segment-reader.js';

interface Counts {
  batches: number;
  records: number;
  bytes: number;
  readonly faults: { segment: string; position: number; fault: string }[];
}

/** `log verify`: checks every batch below a folder and that offsets only grow in each segment. */
export async function verify(
  context: Context,
  path: string,
  options: OutputOptions,
): Promise<number> {
  const { system, terminal } = context;
  await loadCodec('zstd');
  const segments = segmentsBelow(system.disk, path);
  const totalBytes = segments.reduce((sum, at) => sum + (system.disk.statSync(at)?.size ?? 0), 0);
  const counts: Counts = { batches: 0, records: 0, bytes: 0, faults: [] };
  const progress = new Progress(context);
  for (const [index, segment] of segments.entries()) {
    verifySegment(context, segment, counts, () =>
      progress.show(() => {
        const percent = Math.floor((100 * counts.bytes) / Math.max(totalBytes, 1));
        const done = `${bytesText(counts.bytes)} of ${bytesText(totalBytes)}`;
        return `${percent} %, ${done}, segment ${index + 1} of ${segments.length}`;
      }),
    );
  }
  const { batches, records, bytes, faults } = counts;
  if (options.output === 'json') {
    const report = { segments: segments.length, batches, records, bytes, faults };
    await terminal.data(`${JSON.stringify(report)}\n`);
  } else {
    for (const { segment, position, fault } of faults) {
      terminal.say(`${segment}: byte ${position}: ${fault}`);
    }
    const outcome = faults.length === 0 ? 'all good' : `${faults.length} at fault`;
    terminal.say(`${segments.length} segments, ${batches} batches, ${records} records: ${outcome}`);
  }
  return faults.length === 0 ? ExitCode.done : ExitCode.failed;
}

/** Counts a segment's batches up to its first fault. */
function verifySegment(
  { system }: Context,
  segment: string,
  counts: Counts,
  onBatch: () => void,
): void {
  let nextOffset = -1;
  for (const found of batchesOfSegment(system.disk, segment)) {
    const backwards = 'header' in found && found.header.baseOffset < nextOffset;
    if ('fault' in found || backwards) {
      const fault = 'fault' in found ? found.fault : 'its offsets do not follow the ones before';
      counts.faults.push({ segment, position: found.position, fault });
      return;
    }
    nextOffset = found.header.baseOffset + found.header.lastOffsetDelta + 1;
    counts.batches++;
    counts.records += found.header.recordCount;
    counts.bytes += found.bytes.length;
    onBatch();
  }
}
