import { createHash } from 'node:crypto';

/** Below the root: claims, and what is not finished. Readers pass over a `_` in front. */
export const CLAIMS_DIRECTORY = '_claims';
export const STAGING_DIRECTORY = '_tmp';

/** Longest encoded key in a file name, and longest file name that every file system takes. */
const MAX_KEY_BYTES = 120;
const MAX_NAME_BYTES = 255;
/** Topics beyond this are shortened in file names (not in directories). */
const MAX_TOPIC_IN_NAME = 100;
const OFFSET_DIGITS = 20;

/** Which stream of which sink: one chain of claims each. */
export interface ChainId {
  readonly sink: string;
  readonly cluster: string;
  readonly topic: string;
  /** 22 characters, url-safe base64. */
  readonly topicId: string;
  readonly partition: number;
}

/** Where the chains of every generation of a topic lie: one folder per topic id. */
export function chainsFolder(sink: string, cluster: string): string {
  return `${CLAIMS_DIRECTORY}/${sink}/${cluster}`;
}

/** `_claims/<sink>/<cluster>/<topic>.<topic id>/<partition>`. */
export function chainDirectory(id: ChainId): string {
  const folder = chainsFolder(id.sink, id.cluster);
  return `${folder}/${id.topic}.${id.topicId}/${id.partition}`;
}

/** Offsets in names have 20 digits, so that names sort as numbers do. */
export function offsetName(offset: number): string {
  return String(offset).padStart(OFFSET_DIGITS, '0');
}

/** Enough of a topic id to tell a topic from one re-created under its name. */
export function shortTopicId(topicId: string): string {
  return topicId.slice(0, 8);
}

/** Letters, digits, `-`, `.` and `_`; all else and a `.` or `_` in front as `%XX`. */
function percentEncode(bytes: Uint8Array): string {
  let name = '';
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i] ?? 0;
    const plain =
      (byte >= 0x30 && byte <= 0x39) ||
      (byte >= 0x41 && byte <= 0x5a) ||
      (byte >= 0x61 && byte <= 0x7a) ||
      byte === 0x2d ||
      (i > 0 && (byte === 0x2e || byte === 0x5f));
    name += plain
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return name;
}

/** What a file's name is made of. */
export interface FileNameParts {
  readonly id: Pick<ChainId, 'topic' | 'topicId' | 'partition'>;
  /** undefined where the sink writes one file per partition, or the records have no key. */
  readonly key: Uint8Array | undefined;
  /** Hours since the epoch, UTC; see `hourOf`. */
  readonly hour: number;
  readonly start: number;
  readonly end: number;
  readonly extension: string;
  /** The key's hash stands in its place, though it would fit. */
  readonly isKeyHashed?: boolean;
}

/** Whole hours since the epoch of a record's timestamp; records without one count as 1970. */
export function hourOf(timestampMs: number): number {
  // Beyond year 9999 a date has more than four digits and would not sort.
  return Math.min(Math.max(Math.floor(timestampMs / 3_600_000), 0), 70_389_527);
}

/**
 * `<topic>/dt=YYYY-MM-DD/hour=HH/[<key>+]<topic>.<id>+<partition>+<start>+<end>.<ext>`.
 * A key that does not fit is `~` and its SHA-256; `~` never stands in an encoded key.
 */
export function fileName(parts: FileNameParts): string {
  const { id, key, hour, start, end, extension, isKeyHashed = false } = parts;
  const date = new Date(hour * 3_600_000).toISOString();
  const topic = percentEncode(Buffer.from(id.topic));
  const short = topic.length > MAX_TOPIC_IN_NAME ? shortTopic(topic) : topic;
  const range = `${offsetName(start)}+${offsetName(end)}`;
  const stream = `${short}.${shortTopicId(id.topicId)}+${id.partition}+${range}.${extension}`;
  const prefix = key === undefined ? '' : `${keyName(key, stream.length, isKeyHashed)}+`;
  return `${topic}/dt=${date.slice(0, 10)}/hour=${date.slice(11, 13)}/${prefix}${stream}`;
}

function keyName(key: Uint8Array, streamBytes: number, isHashed: boolean): string {
  if (!isHashed && key.length <= MAX_KEY_BYTES) {
    const encoded = percentEncode(key);
    const fits = encoded.length + 1 + streamBytes <= MAX_NAME_BYTES;
    if (encoded.length <= MAX_KEY_BYTES && fits) return encoded;
  }
  return `~${createHash('sha256').update(key).digest('hex')}`;
}

/** Whether some of these names are one name where case does not matter. */
export function differInCaseAlone(names: readonly string[]): boolean {
  return new Set(names.map((name) => name.toLowerCase())).size < names.length;
}

/** Whether a file's name gives its key back; otherwise it holds only the key's hash. */
export function isKeyInName(name: string): boolean {
  return !name.includes('/~');
}

function shortTopic(topic: string): string {
  return `${topic.slice(0, 80)}~${createHash('sha256').update(topic).digest('hex').slice(0, 16)}`;
}

/** Whether a file of this name in the archive belongs to the stream and begins at `start`. */
export function beginsAt(name: string, id: ChainId, start: number): boolean {
  const topic = percentEncode(Buffer.from(id.topic));
  const short = topic.length > MAX_TOPIC_IN_NAME ? shortTopic(topic) : topic;
  const stream = `${short}.${shortTopicId(id.topicId)}+${id.partition}+${offsetName(start)}+`;
  const base = name.slice(name.lastIndexOf('/') + 1);
  return base.startsWith(stream) || base.includes(`+${stream}`);
}

/** Topic directory within the archive. */
export function topicDirectory(topic: string): string {
  return percentEncode(Buffer.from(topic));
}
