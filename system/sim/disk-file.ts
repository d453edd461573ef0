import type { DiskFile, FileStat } from '../disk.js';
import { type DiskContext, statOf } from './disk-context.js';
import { diskError } from './disk-paths.js';
import type { Inode } from './disk-tree.js';

/** An open simulated file. */
export class SimFile implements DiskFile {
  #open = true;
  readonly #forget: () => void;
  readonly #context: DiskContext;
  readonly #inode: Inode;
  readonly #writable: boolean;

  constructor(
    context: DiskContext,
    readonly path: string,
    inode: Inode,
    writable: boolean,
  ) {
    this.#context = context;
    this.#inode = inode;
    this.#writable = writable;
    inode.handles++;
    this.#forget = context.life.onEnd(() => this.#release());
  }

  readSync(target: Uint8Array, offset: number, length: number, position: number): number {
    this.#context.read('read', this.path);
    this.#assertOpen('read');
    const bytes = this.#inode.content.view.subarray(position, position + length);
    target.set(bytes, offset);
    return bytes.length;
  }

  read(target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return this.#context.later(() => this.readSync(target, offset, length, position));
  }

  writeSync(chunks: readonly Uint8Array[], position: number): void {
    const bytes = Buffer.concat(chunks);
    const { random, volume } = this.#context;
    const cut = () => bytes.subarray(0, random.below(bytes.length + 1));
    this.#assertWritable();
    try {
      this.#context.effect('write', this.path, {}, () => this.#put(cut(), position));
    } catch (error) {
      // A write that fails has often done a part of its work before.
      if (this.#context.life.alive) this.#put(cut(), position);
      throw error;
    }
    const growth = Math.max(0, position + bytes.length - this.#inode.content.size);
    const room = Math.max(0, volume.capacityBytes - volume.usedBytes);
    if (growth > room) {
      this.#put(bytes.subarray(0, Math.max(0, bytes.length - (growth - room))), position);
      throw diskError('ENOSPC', 'write', this.path);
    }
    this.#put(bytes, position);
  }

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    await this.#context.later(() => this.writeSync(chunks, position));
  }

  #put(bytes: Uint8Array, position: number): void {
    const { volume, wall } = this.#context;
    const before = this.#inode.content.size;
    this.#inode.content.write(bytes, position);
    this.#inode.modifiedMs = wall.now();
    volume.usedBytes += this.#inode.content.size - before;
    volume.changed(this.path);
  }

  syncSync(): void {
    this.#assertOpen('fdatasync');
    try {
      this.#context.effect('sync', this.path);
    } catch (error) {
      if (this.#context.life.alive) this.#inode.content.failSync();
      throw error;
    }
    this.#inode.content.sync();
  }

  async sync(): Promise<void> {
    await this.#context.later(() => this.syncSync());
  }

  truncateSync(size: number): void {
    this.#assertWritable();
    this.#context.effect('truncate', this.path);
    const { volume, wall } = this.#context;
    volume.usedBytes += size - this.#inode.content.size;
    this.#inode.content.truncate(size);
    this.#inode.modifiedMs = wall.now();
    volume.changed(this.path);
  }

  statSync(): FileStat {
    this.#context.life.check(`stat ${this.path}`);
    this.#assertOpen('fstat');
    return statOf(this.#inode);
  }

  closeSync(): void {
    this.#context.life.check(`close ${this.path}`);
    this.#release();
  }

  #release(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#forget();
    this.#inode.handles--;
    this.#context.volume.tree.release(this.#inode);
  }

  #assertOpen(call: string): void {
    if (!this.#open) throw diskError('EBADF', call, this.path);
  }

  #assertWritable(): void {
    this.#assertOpen('write');
    if (!this.#writable) throw diskError('EBADF', 'write', this.path);
  }
}
