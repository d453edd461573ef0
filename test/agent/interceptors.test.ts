import { describe, expect, it } from 'vitest';
import {
  createChain,
  type Interceptor,
  interceptors,
  type RecordView,
} from '../../agent/interceptors/index.js';
import { oneOf, z } from '../../config/index.js';
import { createSimSystem } from '../../system/sim/index.js';

const system = createSimSystem({ seed: 1 }).process('agent');

const interceptorOptions = oneOf(interceptors, {});

/** Passes one value through; undefined where it is dropped. */
function pass(options: unknown[], value: Buffer, timestamp = 1234) {
  const list = options.map((one) => interceptorOptions.parse(one));
  const chain = createChain(interceptors, list, { system, source: 's' });
  const framed = Buffer.concat([Buffer.from('<<'), value, Buffer.from('>>')]);
  chain.view.open(framed, 2, framed.length - 2, timestamp);
  if (!chain.intercept()) return undefined;
  const { bytes, start, end, headers } = chain.view;
  return {
    value: Buffer.from(bytes.subarray(start, end)),
    headers: headers.map(([name, bytes]) => `${name}=${bytes}`),
    constant: chain.isConstant,
    all: chain.headersWith(headers)?.toString('latin1'),
  };
}

describe('interceptors', () => {
  it('put the time before a value as the client’s do', () => {
    expect(pass([{ type: 'timestamp' }], Buffer.from('x'))?.value.toString()).toBe('1234 x');
    const comma = pass([{ type: 'timestamp', separator: ',' }], Buffer.from('x'));
    expect(comma?.value.toString()).toBe('1234,x');
  });

  it('with the same headers for all cost nothing per record', () => {
    const options = [
      { type: 'host', header: 'from' },
      { type: 'static', headers: { a: 'b' } },
    ];
    const passed = pass(options, Buffer.from('x'));
    expect(passed?.constant).toBe(true);
    expect(passed?.all).toBe('\x04\x08from\x12127.0.0.1\x02a\x02b');
  });

  it('leave bytes alone that are no text', () => {
    const value = Buffer.from([0xff, 0x41, 0xe4, 0xc3]);
    const options = [
      { type: 'regex_filter', include: 'A' },
      { type: 'regex_extract', pattern: '(?<found>A)' },
      { type: 'search_replace', search: 'nothing', replace: '' },
    ];
    expect(pass(options, value)).toMatchObject({ value, headers: ['found=A'] });
  });

  it('change text in the encoding that it has', () => {
    const options = [{ type: 'search_replace', search: 'a', replace: '[$&]' }];
    expect(pass(options, Buffer.from('ä-a'))?.value.toString()).toBe('ä-[a]');
    const latin = Buffer.from('ä-a', 'latin1');
    expect(pass(options, latin)?.value.toString('latin1')).toBe('ä-[a]');
  });

  it('see what the ones before them made', () => {
    const options = [
      { type: 'search_replace', search: 'x', replace: 'y' },
      { type: 'timestamp' },
      { type: 'regex_filter', include: '^1234 y$', exclude: 'z' },
    ];
    expect(pass(options, Buffer.from('x'))?.value.toString()).toBe('1234 y');
    expect(pass(options, Buffer.from('xz'))).toBeUndefined();
  });

  it.each([
    [{ type: 'regex_filter' }, 'needs include or exclude'],
    [{ type: 'regex_filter', include: '(' }, 'must be a regular expression'],
    [{ type: 'regex_extract', pattern: 'x' }, 'needs a named group'],
  ])('%j is refused', (options, words) => {
    expect(() => interceptorOptions.parse(options)).toThrow(words);
  });
});

describe('an interceptor that goes wrong', () => {
  /** What one does that is made of `members`, to the line `content`. */
  function chainOf(members: unknown, content = Buffer.from('ä b')) {
    const own = { type: 'own', schema: z.object({}), create: () => members as Interceptor };
    const chain = createChain([own], [{ type: 'own' }], { system, source: 's' });
    chain.view.open(Buffer.concat([content, Buffer.from('next line')]), 0, content.length, 1);
    return chain;
  }
  const by = (intercept: (record: RecordView) => unknown) => ({ intercept });

  it.each([
    [by(() => Promise.resolve(true)), 'gives a promise'],
    [by(() => Promise.reject(new Error('late'))), 'gives a promise'],
    [by(({ headers }) => headers.push(['a', 'text' as never])), 'the header a must be a Buffer'],
    [by(({ headers }) => headers.push(['a', 7 as never])), 'the header a must be a Buffer'],
    [by(({ headers }) => headers.push([7 as never, null])), 'the name of a header must be text'],
    [by((record) => Object.assign(record, { end: 1_000 })), 'not within its bytes (0 to 1000)'],
    [by((record) => Object.assign(record, { start: 9 })), 'not within its bytes'],
    [by((record) => Object.assign(record, { bytes: 'x', end: 1 })), 'not within its bytes'],
  ])('sets the record aside: %#', (members, words) => {
    const chain = chainOf(members);
    const failure = expect.objectContaining({
      code: 'INTERCEPTOR_FAILED',
      message: expect.stringContaining(`the interceptor own cannot handle it: `),
    });
    expect(() => chain.intercept()).toThrow(failure);
    chain.view.open(Buffer.from('ä b'), 0, 4, 1);
    expect(() => chain.intercept()).toThrow(words);
  });

  it.each([
    [undefined, 'its create gives nothing'],
    [{ intercpt: () => true }, 'would do nothing'],
    [{ intercept: true }, 'are functions'],
  ])('is refused at the start: %j', (members, words) => {
    expect(() => chainOf(members)).toThrow('the interceptor own of source s');
    expect(() => chainOf(members)).toThrow(words);
  });

  it('is named where it cannot be made', () => {
    const fails = () => {
      throw new Error('no such thing');
    };
    const own = { type: 'own', schema: z.object({}), create: fails };
    expect(() => createChain([own], [{ type: 'own' }], { system, source: 's' })).toThrow(
      'the interceptor own of source s cannot be made: no such thing',
    );
  });

  it('sees the text of the value as it is now', () => {
    const seen: string[] = [];
    const chain = chainOf(
      by((record) => {
        seen.push(record.text);
        record.end -= 2;
        seen.push(record.text);
        return true;
      }),
    );
    expect(chain.intercept()).toBe(true);
    expect(seen).toEqual(['ä b', 'ä']);
  });

  it('cannot put characters into a line whose encoding lacks them', () => {
    const chain = chainOf(
      by((record) => Object.assign(record, { text: '5 €' })),
      Buffer.from('ä', 'latin1'),
    );
    expect(() => chain.intercept()).toThrow('beyond ISO 8859-1');
    chain.view.open(Buffer.from('ä'), 0, 2, 1);
    expect(chain.intercept()).toBe(true);
    expect(chain.view.bytes.toString()).toBe('5 €');
  });
});
