import { describe, expect, it } from 'vitest';
import { compileGlob } from '../../agent/sources/file/glob.js';
import { earlierNames, isRotationOf, originOf } from '../../agent/sources/file/rotation-name.js';

describe('a glob', () => {
  it.each([
    ['/log/*.log', '/log/a.log', true],
    ['/log/*.log', '/log/.a.log', false],
    ['/log/*.log', '/log/x/a.log', false],
    ['/log/a?.log', '/log/ab.log', true],
    ['/log/a?.log', '/log/a.log', false],
    ['/log/**/*.log', '/log/a.log', true],
    ['/log/**/*.log', '/log/x/y/a.log', true],
    ['/log/**/*.log', '/log/.git/a.log', false],
    ['/log/**', '/log/x/y', true],
    ['/**/a', '/a', true],
    ['/log/{a,b}.log', '/log/b.log', true],
    ['/log/{a,b{1,2}}.log', '/log/b2.log', true],
    ['/log/{a}.log', '/log/{a}.log', true],
    ['/{log,var/log}/x', '/var/log/x', true],
    ['/log/[a-c]*', '/log/bx', true],
    ['/log/[!a-c]*', '/log/bx', false],
    ['/log/[^a-c]*', '/log/dx', true],
    ['/log/[]]', '/log/]', true],
    ['/log/[.log', '/log/[.log', true],
    ['/log/\\*.log', '/log/*.log', true],
    ['/log/\\*.log', '/log/a.log', false],
    ['/log/a.log', '/log/a.log', true],
    ['/log/a.log', '/log/aXlog', false],
    ['/log/*', '/log/größe', true],
  ])('%s on %s is %s', (pattern, path, expected) => {
    expect(compileGlob(pattern).matches(path)).toBe(expected);
  });

  it('knows where to look', () => {
    const where = ({ base, recursive }: { base: string; recursive: boolean }) => [base, recursive];
    expect(where(compileGlob('/var/log/*.log'))).toEqual(['/var/log', false]);
    expect(where(compileGlob('/var/log/a.log'))).toEqual(['/var/log', false]);
    expect(where(compileGlob('/var/log/*/a.log'))).toEqual(['/var/log', true]);
    expect(where(compileGlob('/var/log/**'))).toEqual(['/var/log', false]);
    expect(where(compileGlob('/var/{a,b}/*.log'))).toEqual(['/var', true]);
  });

  it('knows which directories can hold something', () => {
    const glob = compileGlob('/var/log/*/x/*.log');
    expect(
      ['/var', '/var/log', '/var/log/a', '/var/log/a/x'].every((path) => glob.mayHold(path)),
    ).toBe(true);
    expect(glob.mayHold('/var/log/a/y')).toBe(false);
    expect(glob.mayHold('/var/log/a/x/z')).toBe(false);
    expect(compileGlob('/var/**/a').mayHold('/var/b/c')).toBe(true);
  });

  it('refuses an explosion of alternatives', () => {
    expect(() => compileGlob(`/${'{a,b}'.repeat(20)}`)).toThrow(RangeError);
  });
});

describe('a rotated name', () => {
  it.each([
    ['/l/app.log.1', '/l/app.log'],
    ['/l/app.log-20261121', '/l/app.log'],
    ['/l/app.log.2026-11-21_10-00', '/l/app.log'],
    ['/l/app.log.2026-11-21T10:00', '/l/app.log'],
    ['/l/app.log.1.gz', '/l/app.log'],
    ['/l/app.log-20261121.gz', '/l/app.log'],
    ['/l/app.log.gz', '/l/app.log'],
    ['/l/app.log.old', '/l/app.log'],
  ])('%s was %s', (path, origin) => {
    expect(isRotationOf(path, origin)).toBe(true);
    expect(originOf(path, (name) => name === origin)).toBe(origin);
  });

  it.each([
    ['/l/error.log', '/l/error'],
    ['/l/app.log2', '/l/app.log'],
    ['/l/app.log', '/l/app.log'],
    ['/l/1', '/l/'],
  ])('%s was not %s', (path, origin) => {
    expect(isRotationOf(path, origin)).toBe(false);
  });

  it('leads to its oldest known name', () => {
    expect(earlierNames('/l/a.1.gz')).toEqual(['/l/a.1', '/l/a']);
    expect(originOf('/l/a.1.gz', () => true)).toBe('/l/a');
    expect(originOf('/l/a.1.gz', () => false)).toBe('/l/a.1.gz');
  });
});
