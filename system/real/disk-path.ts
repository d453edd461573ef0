import * as fs from 'node:fs';
import { hasForeignBytes, pathFromBytes, pathToBytes } from '../path-bytes.js';

/** The path as Node takes it. */
export function native(path: string): string | Buffer {
  return hasForeignBytes(path) ? pathToBytes(path) : path;
}

/** Names of the entries, sorted. */
export function listSync(path: string): string[] {
  const names = fs.readdirSync(native(path));
  if (!names.some(isDoubtful)) return names.sort();
  return fs.readdirSync(native(path), 'buffer').map(pathFromBytes).sort();
}

export async function list(path: string): Promise<string[]> {
  const names = await fs.promises.readdir(native(path));
  if (!names.some(isDoubtful)) return names.sort();
  return (await fs.promises.readdir(native(path), 'buffer')).map(pathFromBytes).sort();
}

/** Node writes U+FFFD for what is no UTF-8; only then the bytes are asked for. */
function isDoubtful(name: string): boolean {
  return name.includes('\ufffd');
}
