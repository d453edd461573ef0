import { loadCodec } from '../protocol/records/index.js';
import type { Context } from './context.js';
import { ExitCode } from './failure.js';
import { batchesOfSegment, segmentsBelow } from './segment-reader.js';

/** `log verify`: checks every batch below a folder and that offsets only grow in each segment. */
export async function verify({ system, terminal }: Context, path: string): Promise<number> {
  await loadCodec('zstd');
  let segments = 0;
  let batches = 0;
  let records = 0;
  let faults = 0;
  for (const segment of segmentsBelow(system.disk, path)) {
    segments++;
    let nextOffset = -1;
    for (const found of batchesOfSegment(system.disk, segment)) {
      const backwards = 'header' in found && found.header.baseOffset < nextOffset;
      if ('fault' in found || backwards) {
        const fault = 'fault' in found ? found.fault : 'its offsets do not follow the ones before';
        terminal.say(`${segment}: byte ${found.position}: ${fault}`);
        faults++;
        break;
      }
      nextOffset = found.header.baseOffset + found.header.lastOffsetDelta + 1;
      batches++;
      records += found.header.recordCount;
    }
  }
  const outcome = faults === 0 ? 'all good' : `${faults} at fault`;
  terminal.say(`${segments} segments, ${batches} batches, ${records} records: ${outcome}`);
  return faults === 0 ? ExitCode.done : ExitCode.failed;
}
