import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createRealSystem } from '../../system/real/index.js';

const { disk } = createRealSystem();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'logflume-names-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

it.runIf(process.platform === 'linux')(
  'a file whose name is no UTF-8 is listed, read, renamed and removed on the real disk',
  async () => {
    const name = Buffer.from([0x67, 0xfc, 0x6e, 0x2e, 0x6c, 0x6f, 0x67]);
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), name]), 'a line\n');
    expect(disk.listSync(folder)).toEqual(['g\udcfcn.log']);
    expect(await disk.list(folder)).toEqual(['g\udcfcn.log']);
    const path = join(folder, 'g\udcfcn.log');
    expect(disk.statSync(path)?.size).toBe(7);
    expect(String(await disk.readFile(path))).toBe('a line\n');
    const file = disk.openSync(path, 'r');
    const read = Buffer.alloc(7);
    expect(file.readSync(read, 0, 7, 0)).toBe(7);
    file.closeSync();
    disk.renameSync(path, `${path}.1`);
    expect(disk.listSync(folder)).toEqual(['g\udcfcn.log.1']);
    disk.removeSync(`${path}.1`);
    expect(disk.listSync(folder)).toEqual([]);
  },
);
