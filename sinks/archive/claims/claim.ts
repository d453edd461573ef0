import { createHash } from 'node:crypto';
import { z } from '../../../config/index.js';
import { compressionNames } from '../compression.js';

/**
 * What decides the content of files; kept in each claim, so that a changed setting waits for the
 * next claim.
 */
const contentSettings = z.object({
  /** Of whichever formats its writer knew; a reader may know others. */
  format: z.string().min(1),
  filePer: z.enum(['key', 'partition']),
  compression: z.enum(compressionNames),
});
export type ContentSettings = Readonly<z.output<typeof contentSettings>>;

const offset = z.number().int().nonnegative();

const claimedFile = z.object({
  /** Below the root. */
  name: z.string(),
  records: z.number().int().positive(),
  /** Of the content before compression; the hash, in hex, as well. */
  bytes: z.number().int().nonnegative(),
  sha256: z.string(),
  /** The record key in base64, where the name holds only its hash. */
  key: z.string().optional(),
});
/** One file of a claim: its name and its content before compression. */
export type ClaimedFile = Readonly<z.output<typeof claimedFile>>;

const claim = z.object({
  version: z.literal(1),
  /** `gap`: offsets a person has given up (`--accept-gap`); such a claim has no files. */
  kind: z.enum(['cut', 'gap']),
  start: offset,
  end: offset,
  settings: contentSettings,
  files: z.array(claimedFile).readonly(),
  /** Who claimed and when, for people; not part of what is agreed. */
  writer: z.string(),
  claimedAt: z.string(),
});
/**
 * A link of the chain: whoever creates it has decided, for every writer and for good, that the
 * offsets `start` to `end` (both included) are exactly these files.
 */
export type Claim = Readonly<z.output<typeof claim>>;

/** A claim before it is dated. */
export type Decision = Omit<Claim, 'claimedAt'>;

const genesis = z.object({ version: z.literal(1), kind: z.literal('genesis'), start: offset });
/** The chain's first link: where its first claim starts. */
export type Genesis = Readonly<z.output<typeof genesis>>;

const storedFile = z.object({ name: z.string(), bytes: offset, sha256: z.string() });
/** A file as it lies in the store, compressed or not. */
export type StoredFile = Readonly<z.output<typeof storedFile>>;

const done = z.object({
  version: z.literal(1),
  start: offset,
  end: offset,
  files: z.array(storedFile).readonly(),
  /** Files that a person has given up after retention had passed them. */
  lost: z.array(z.string()).readonly().optional(),
});
/** What was really stored for a claim; written last. */
export type Done = Readonly<z.output<typeof done>>;

/** Whether two claims decide the same; who made them does not matter. */
export function sameDecision(a: Decision, b: Decision): boolean {
  return (
    a.kind === b.kind &&
    a.start === b.start &&
    a.end === b.end &&
    a.settings.format === b.settings.format &&
    a.settings.filePer === b.settings.filePer &&
    a.settings.compression === b.settings.compression &&
    sameFiles(a.files, b.files)
  );
}

/** Whether two lists name the same content under the same names, in the same order. */
export function sameFiles(a: readonly ClaimedFile[], b: readonly ClaimedFile[]): boolean {
  return a.length === b.length && a.every((file, i) => sameFile(file, b[i]));
}

function sameFile(a: ClaimedFile, b: ClaimedFile | undefined): boolean {
  return (
    a.name === b?.name && a.records === b.records && a.bytes === b.bytes && a.sha256 === b.sha256
  );
}

/**
 * JSON and a line end, so that `cat` and `jq` read it. Its last field, `check`, is the SHA-256 of
 * the JSON without it: a link that is torn or changed by a single byte is none.
 */
export function encodeLink(link: object): Buffer {
  const json = JSON.stringify(link);
  const check = createHash('sha256').update(json).digest('hex');
  return Buffer.from(`${json.slice(0, -1)},"check":"${check}"}\n`);
}

/** undefined where the bytes are no whole claim: empty, torn, changed, or something else. */
export function decodeClaim(bytes: Uint8Array): Claim | undefined {
  const link = decode(claim, bytes);
  return link !== undefined && link.end >= link.start ? link : undefined;
}

/** undefined where the bytes are no whole genesis. */
export function decodeGenesis(bytes: Uint8Array): Genesis | undefined {
  return decode(genesis, bytes);
}

/** undefined where the bytes are no whole `done`. */
export function decodeDone(bytes: Uint8Array): Done | undefined {
  return decode(done, bytes);
}

function decode<T>(schema: z.ZodType<T>, bytes: Uint8Array): T | undefined {
  try {
    const { check, ...link } = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (check === undefined || !encodeLink(link).equals(bytes)) return undefined;
    return schema.safeParse(link).data;
  } catch {
    return undefined;
  }
}
