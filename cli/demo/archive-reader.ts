import { gunzipSync } from 'node:zlib';
import { decompress } from '../../protocol/records/index.js';
import type { Store } from '../../sinks/index.js';

/** A final file of an archive, as its name tells. */
export interface ArchiveFile {
  /** Below the root. */
  readonly name: string;
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
    /\+(?<start>\d{20})\+\d{20}\.[^.]+(?:\.(?<compression>gz|zst))?$/,
  ]
    .map(({ source }) => source)
    .join(''),
);
const LARGEST_FILE_BYTES = 1024 * 1024 * 1024;

/** The final files of a topic, in the order of its records; none where nothing is archived yet. */
export async function listArchive(store: Store, topic: string): Promise<ArchiveFile[]> {
  const found = (await store.files(topic)).flatMap(describe);
  return found.sort(
    (a, b) => a.partition - b.partition || a.start - b.start || (a.name < b.name ? -1 : 1),
  );
}

function describe(name: string): ArchiveFile[] {
  const parts = name.split('/');
  // Readers pass over what begins so.
  const isHidden = parts.some((part) => part.startsWith('_') || part.startsWith('.'));
  const groups = isHidden ? undefined : NAME.exec(parts.at(-1) ?? '')?.groups;
  if (!groups) return [];
  const { key, id, partition, start, compression } = groups;
  return [
    {
      name,
      key: key === undefined ? undefined : decodeURIComponent(key),
      topicId: id ?? '',
      partition: Number(partition),
      start: Number(start),
      compression: compression === 'gz' || compression === 'zst' ? compression : undefined,
    },
  ];
}

/** The content of an archive file, uncompressed. */
export async function readArchiveFile(store: Store, file: ArchiveFile): Promise<Buffer> {
  const slices: Buffer[] = [];
  await store.scan(file.name, (slice) => slices.push(Buffer.from(slice)));
  const stored = Buffer.concat(slices);
  if (file.compression === 'gz') return gunzipSync(stored);
  return file.compression === 'zst' ? decompress('zstd', stored, LARGEST_FILE_BYTES) : stored;
}
