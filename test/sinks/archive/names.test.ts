import { describe, expect, it } from 'vitest';
import { beginsAt, chainDirectory, fileName, hourOf } from '../../../sinks/archive/names.js';
import { fc } from '../../fast-check.js';

const id = {
  sink: 'archive',
  cluster: 'MkU3OEVBNTcwNTJENDM2Qg',
  topic: 'app-logs',
  topicId: 'p8xKQ0d5RgmZ1J2L3M4N5A',
  partition: 3,
};
const hour = hourOf(Date.UTC(2026, 10, 21, 9, 59, 59, 999));

function nameOf(key: Buffer | undefined, topic = 'app-logs'): string {
  const parts = { id: { ...id, topic }, key, hour, start: 12, end: 345, extension: 'log.zst' };
  return fileName(parts);
}

describe('names in the archive', () => {
  it('are as the layout says', () => {
    expect(nameOf(Buffer.from('web1:/var/log/app.log'))).toBe(
      'app-logs/dt=2026-11-21/hour=09/web1%3A%2Fvar%2Flog%2Fapp.log+' +
        'app-logs.p8xKQ0d5+3+00000000000000000012+00000000000000000345.log.zst',
    );
    expect(nameOf(undefined)).toBe(
      'app-logs/dt=2026-11-21/hour=09/' +
        'app-logs.p8xKQ0d5+3+00000000000000000012+00000000000000000345.log.zst',
    );
    expect(chainDirectory(id)).toBe(
      '_claims/archive/MkU3OEVBNTcwNTJENDM2Qg/app-logs.p8xKQ0d5RgmZ1J2L3M4N5A/3',
    );
  });

  it('give every key back, or its hash, and never hide a file', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const key = Buffer.from(bytes);
        const name = nameOf(key);
        const file = name.slice(name.lastIndexOf('/') + 1);
        expect(name.split('/').length).toBe(4);
        expect(Buffer.byteLength(file)).toBeLessThanOrEqual(255);
        expect(file).not.toMatch(/^[._]/);
        expect(beginsAt(name, id, 12)).toBe(true);
        expect(beginsAt(name, id, 345)).toBe(false);
        const encoded = file.slice(0, file.indexOf('+'));
        if (encoded.startsWith('~')) return;
        const decoded = encoded.replace(/%([0-9A-F]{2})/g, (_all, hex) =>
          String.fromCharCode(Number.parseInt(hex, 16)),
        );
        expect(Buffer.from(decoded, 'latin1')).toEqual(key);
      }),
    );
  });

  it('differ for keys that differ', () => {
    const keys = fc.uniqueArray(fc.uint8Array({ maxLength: 130 }), {
      selector: (bytes) => Buffer.from(bytes).toString('hex'),
      minLength: 2,
    });
    fc.assert(
      fc.property(keys, (list) => {
        const names = list.map((bytes) => nameOf(Buffer.from(bytes)));
        expect(new Set(names).size).toBe(list.length);
        expect(names).not.toContain(nameOf(undefined));
      }),
    );
  });

  it('fit a directory entry for the longest topic and key', () => {
    const topic = 'a.'.repeat(124);
    const file = nameOf(Buffer.alloc(120, 'k'), topic).split('/').at(-1) ?? '';
    expect(file.length).toBeLessThanOrEqual(255);
    expect(nameOf(undefined, '__internal').startsWith('%5F_internal/dt=')).toBe(true);
  });

  it('have the hour of the timestamp, in UTC, and 1970 without one', () => {
    expect(hourOf(-1)).toBe(0);
    expect(hourOf(3_600_000)).toBe(1);
    const parts = { id, key: undefined, start: 0, end: 0, extension: 'log' };
    expect(fileName({ ...parts, hour: hourOf(1e18) })).toContain('dt=9999-12-31/hour=23');
  });
});
