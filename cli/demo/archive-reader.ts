import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { decompress } from '../../protocol/records/index.js';
import type { Disk } from '../../system/index.js';

/** A final file of a local archive, as its name tells. */
export interface ArchiveFile {
  readonly path: string;
  readonly key: string | undefined;
  readonly topicId: string;
  readonly partition: number;
  readonly start: number;
  readonly compression: 'gz' | 'zst' | undefined;
}

/** `[<key>+]<topic>.<id>+<partition>+<start>+<end>.<ext>`, as docs/formats has it. */
const NAME = new RegExp(
  [
    /^(?:(?<key>[^+]*)\+)?(?<topic>[^+]+)\.(?<id>[^.+]+)\+(?<partition>\d+)/,
    /\+(?<start>\d{20})\+\d{20}\.(?:log|jsonl|eml)(?:\.(?<compression>gz|zst))?$/,
  ]
    .map(({ source }) => source)
    .join(''),
);
const LARGEST_FILE_BYTES = 1024 * 1024 * 1024;

/** The final files of a topic, in the order of its records; none where nothing is archived yet. */
export function listArchive(disk: Disk, root: string, topic: string): ArchiveFile[] {
  const found: ArchiveFile[] = [];
  const walk = (directory: string): void => {
    if (disk.statSync(directory) === undefined) return;
    for (const name of disk.listSync(directory)) {
      if (name.startsWith('_') || name.startsWith('.')) continue;
      const path = join(directory, name);
      if (disk.statSync(path)?.kind === 'directory') walk(path);
      else found.push(...describe(path, name));
    }
  };
  walk(join(root, topic));
  return found.sort(
    (a, b) => a.partition - b.partition || a.start - b.start || (a.path < b.path ? -1 : 1),
  );
}

function describe(path: string, name: string): ArchiveFile[] {
  const groups = NAME.exec(name)?.groups;
  if (!groups) return [];
  const { key, id, partition, start, compression } = groups;
  return [
    {
      path,
      key: key === undefined ? undefined : decodeURIComponent(key),
      topicId: id ?? '',
      partition: Number(partition),
      start: Number(start),
      compression: compression === 'gz' || compression === 'zst' ? compression : undefined,
    },
  ];
}

/** The content of an archive file, uncompressed. */
export function readArchiveFile(disk: Disk, file: ArchiveFile): Buffer {
  const stored = disk.readFileSync(file.path);
  if (file.compression === 'gz') return gunzipSync(stored);
  return file.compression === 'zst' ? decompress('zstd', stored, LARGEST_FILE_BYTES) : stored;
}
