import { join } from 'node:path';
import {
  type Blocked,
  type ChainEffect,
  type ChainEvent,
  ChainLinks,
  type Claim,
  type ClaimedFile,
} from './claims/index.js';
import { compressions } from './compression.js';
import { checkFile, type FileCheck, isAsWritten } from './content.js';
import { type EncodedFile, Encoder } from './encoder.js';
import type { Format } from './formats/index.js';
import { LiveEncoder } from './live-encoder.js';
import { beginsAt, chainsFolder, shortTopicId, topicDirectory } from './names.js';
import { ownerOf } from './owners.js';
import { Spool } from './spool.js';
import type { Store } from './stores/index.js';
import type { WriterOptions } from './writer-options.js';

type IoEffect = Exclude<ChainEffect, { type: 'alarm' | 'read' }>;

/** Carries out the chain's effects on store, spool and topic. Each may be repeated at any time. */
export class EffectRunner {
  /** What is being filled or cut. */
  spool: Spool | undefined;
  /** Encodes what comes into the spool, where that is worth it. */
  live: LiveEncoder | undefined;
  readonly #options: WriterOptions;
  readonly #links: ChainLinks;
  /** Staged by the last `encode`. */
  #encoded: readonly EncodedFile[] = [];
  /** Names of those among them that nobody else had published before. */
  readonly #published = new Set<string>();
  readonly #stagingDirectory: string;
  #isOwnerSaid = false;

  constructor(options: WriterOptions) {
    const { store, id } = options;
    this.#options = options;
    this.#links = new ChainLinks(store, id);
    const stream = `${id.topic}.${shortTopicId(id.topicId)}+${id.partition}`;
    this.#stagingDirectory = join(store.stagingDirectory, stream);
  }

  /** Resolves with the effect's answer; rejects where store, disk or broker failed. */
  async run(effect: IoEffect): Promise<ChainEvent> {
    const { feed } = this.#options;
    switch (effect.type) {
      case 'list':
        return this.#list();
      case 'findFirst':
        return { type: 'firstFound', offset: await this.#findFirst() };
      case 'createGenesis':
        await this.#links.createGenesis({ version: 1, kind: 'genesis', start: effect.start });
        return { type: 'genesisCreated' };
      case 'readClaim':
        return this.#readClaim(effect.start);
      case 'inspect':
        return this.#inspect(effect.claim);
      case 'openSpool':
        return this.#openSpool(effect.start, effect.fresh);
      case 'encode':
        return this.#encode(effect);
      case 'createClaim':
        await this.#links.createClaim({ ...effect.claim, claimedAt: this.#date() });
        return { type: 'claimCreated' };
      case 'publish':
        // Where another was first, `confirm` compares the content.
        for (const { path, file } of this.#encoded) await this.#publish(path, file.name);
        return { type: 'published' };
      case 'confirm':
        return this.#confirm(effect.claim, effect.lost);
      case 'commit':
        await feed.commit(effect.offset);
        return { type: 'committed' };
    }
  }

  close(): void {
    this.spool?.close();
    this.spool = undefined;
    this.live?.giveUp();
    this.live = undefined;
  }

  #date(): string {
    return new Date(this.#options.system.clock.now()).toISOString();
  }

  async #list(): Promise<ChainEvent> {
    const { claims, dones } = await this.#links.list();
    const { link } = await this.#links.genesis();
    const { id, store, system } = this.#options;
    const owner = await ownerOf(store, id, link !== undefined);
    if (owner !== undefined && owner !== id.sink) {
      const message = otherOwner(id, owner);
      if (claims.length === 0) return { type: 'conflict', code: 'OTHER_SINK', message };
      if (!this.#isOwnerSaid) system.log.warn(`${message} Both go on, as they did.`);
      this.#isOwnerSaid = true;
    }
    return { type: 'listed', genesis: link?.start, claims, dones };
  }

  async #findFirst(): Promise<number> {
    const { id, feed, from, system, store } = this.#options;
    const { start, end } = await feed.range();
    const first = from === 'latest' ? end : start;
    const committed = await feed.committed();
    if (committed === undefined) return first;
    const others = await otherChains(store, id);
    if (!others && committed <= end) return committed;
    system.log.warn(
      `The topic ${id.topic} was created anew: its archive begins at offset ${first}, the ` +
        `committed offset ${committed} belongs to its predecessor.`,
    );
    return first;
  }

  async #readClaim(start: number): Promise<ChainEvent> {
    const { link: claim, torn } = await this.#links.claim(start);
    if (claim === undefined) {
      const publishedEnd = torn ? await this.#publishedEnd(start) : undefined;
      return { type: 'claimRead', claim, done: false, publishedEnd };
    }
    const { link: done } = await this.#links.done(start);
    return { type: 'claimRead', claim, done: done !== undefined, publishedEnd: undefined };
  }

  /** The end in the names of files that a claim, now torn, had published. */
  async #publishedEnd(start: number): Promise<number | undefined> {
    const { store, id } = this.#options;
    for (const name of await store.files(topicDirectory(id.topic))) {
      const [, end, extension] = /\+(\d{20})\.([^./]+)/.exec(name) ?? [];
      if (!this.#isOfWholeCuts(extension) || !beginsAt(name, id, start)) continue;
      return Number(end);
    }
    return undefined;
  }

  /** Files of this extension have the offsets of their claim in their names. */
  #isOfWholeCuts(extension: string | undefined): boolean {
    const formats = [...this.#options.formats.values()];
    return formats.some((format) => format.extension === extension && !format.isFilePerRecord);
  }

  async #inspect(claim: Claim): Promise<ChainEvent> {
    const { store, formats } = this.#options;
    const { format, compression } = claim.settings;
    for (const file of claim.files) {
      const check = await checkFile(store, file, compression);
      if (check.state === 'absent') {
        // What is there can be proven without knowing the format; what is not must be made.
        if (!formats.has(format)) return unknownFormat(claim);
        return { type: 'inspected', verdict: 'incomplete' };
      }
      if (check.state === 'wrong') return conflict('FILE_CONFLICT', file.name, check.reason);
    }
    return { type: 'inspected', verdict: 'complete' };
  }

  async #openSpool(start: number, fresh: boolean): Promise<ChainEvent> {
    const { system, spoolDirectory } = this.#options;
    if (fresh || this.spool?.level.start !== start) {
      this.close();
      this.spool = await Spool.open(system, spoolDirectory, start, fresh);
      if (this.spool.level.position === start) this.live = await this.#openLive(start);
    }
    return { type: 'spooled', spool: this.spool.level };
  }

  /**
   * None where files are compressed: that takes longer than reading the spool again, and would
   * hold up the event loop for a whole fetch.
   */
  async #openLive(start: number): Promise<LiveEncoder | undefined> {
    const { system, id, config, liveFiles } = this.#options;
    const { settings } = config;
    if (!compressions[settings.compression].isIdentity) return undefined;
    const format = this.#format(settings.format);
    const cut = { id, start, settings, format };
    const encoder = new Encoder(system.disk, this.#stagingDirectory, cut);
    await encoder.open();
    return new LiveEncoder(encoder, settings, liveFiles);
  }

  async #encode(effect: Extract<ChainEffect, { type: 'encode' }>): Promise<ChainEvent> {
    const { end, settings, hasPlainNames } = effect;
    const { spool, live } = this;
    if (spool === undefined) throw new Error('there is no spool to encode');
    this.live = undefined;
    this.#published.clear();
    try {
      if (hasPlainNames) live?.giveUp();
      const files = await live?.finish(spool.level, end, settings);
      this.#encoded = files ?? (await this.#encodeSpool(spool, effect));
    } catch (error) {
      // It is opened anew, which keeps what is intact.
      this.close();
      throw error;
    }
    return { type: 'encoded', files: this.#encoded.map(({ file }) => file) };
  }

  async #encodeSpool(
    spool: Spool,
    { start, end, settings, hasPlainNames }: Extract<ChainEffect, { type: 'encode' }>,
  ): Promise<EncodedFile[]> {
    const { system, id } = this.#options;
    const cut = { id, start, settings, hasPlainNames, format: this.#format(settings.format) };
    const encoder = new Encoder(system.disk, this.#stagingDirectory, cut);
    await encoder.open();
    await encoder.readSpool(spool, end);
    return encoder.finish(end);
  }

  #format(name: string): Format {
    const format = this.#options.formats.get(name);
    // The sink's own was checked with its options, that of a claim when it was inspected.
    if (format === undefined) throw new Error(`there is no format ${name}`);
    return format;
  }

  async #publish(path: string, name: string): Promise<void> {
    if (await this.#options.store.publish(path, name)) this.#published.add(name);
  }

  /** Reads every file of the claim back. */
  async *#readBack(claim: Claim): AsyncGenerator<readonly [ClaimedFile, FileCheck]> {
    const { store } = this.#options;
    const own = new Map(this.#encoded.map(({ file, written }) => [file.name, written]));
    for (const file of claim.files) {
      const written = this.#published.has(file.name) ? own.get(file.name) : undefined;
      if (written !== undefined && (await isAsWritten(store, file.name, written))) {
        const { bytes, sha256 } = written;
        yield [file, { state: 'right', stored: { name: file.name, bytes, sha256 } }];
      } else {
        yield [file, await checkFile(store, file, claim.settings.compression)];
      }
    }
  }

  async #confirm(claim: Claim, mayBeLost: boolean): Promise<ChainEvent> {
    const { system, onArchived } = this.#options;
    const files = [];
    const lost: string[] = [];
    for await (const [file, check] of this.#readBack(claim)) {
      if (check.state === 'wrong') return conflict('FILE_CONFLICT', file.name, check.reason);
      if (check.state === 'right') files.push(check.stored);
      else if (mayBeLost) lost.push(file.name);
      else return conflict('READ_BACK', file.name, 'it vanished after it was published');
    }
    const { start, end } = claim;
    const losses = lost.length > 0 ? { lost } : {};
    await this.#links.createDone({ version: 1, start, end, files, ...losses });
    this.#encoded = [];
    await system.disk.removeTree(this.#stagingDirectory);
    const sum = (of: 'records' | 'bytes') => claim.files.reduce((all, file) => all + file[of], 0);
    onArchived?.(sum('records'), sum('bytes'), claim.files.length);
    return { type: 'confirmed' };
  }
}

function conflict(code: Blocked['code'], name: string, reason: string): ChainEvent {
  const message =
    `The archive file ${name} is not what its claim says: ${reason}. Nothing is overwritten: ` +
    'move the file away, and it is made again while the topic has its records.';
  return { type: 'conflict', code, message };
}

function unknownFormat({ start, end, settings }: Claim): ChainEvent {
  const message =
    `Offsets ${start} to ${end} are claimed in the format "${settings.format}", which is not ` +
    'loaded here, and their files are not complete. Name the module that brings the format ' +
    'under plugins: in the configuration; nothing else is archived before them.';
  return { type: 'conflict', code: 'UNKNOWN_FORMAT', message };
}

function otherOwner({ sink, topic, partition }: WriterOptions['id'], owner: string): string {
  return (
    `The sink ${owner} archives topic ${topic}, partition ${partition} here already; a second ` +
    `copy by ${sink} would hold every record again. Give ${sink} a root of its own, or, if it is ` +
    `${owner} under a new name, say "continues: ${owner}" in its section.`
  );
}

/** Whether the topic's name has been archived under another topic id. */
async function otherChains(store: Store, id: WriterOptions['id']): Promise<boolean> {
  const own = `${id.topic}.${id.topicId}`;
  const folders = await store.folders(chainsFolder(id.sink, id.cluster));
  return folders.some(
    (name) => name !== own && name.length === own.length && name.startsWith(`${id.topic}.`),
  );
}
