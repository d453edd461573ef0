import { describe, expect, it } from 'vitest';
import { createChain, InterceptorChain, interceptors } from '../../agent/interceptors/index.js';
import { oneOf } from '../../config/index.js';
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

  it('must answer at once: a promise sets the record aside', async () => {
    const late = async (answer: 'false' | 'throws') => {
      await Promise.resolve();
      if (answer === 'throws') throw new Error('nobody hears this');
      return false;
    };
    for (const answer of ['false', 'throws'] as const) {
      const intercept = () => late(answer) as unknown as boolean;
      const chain = new InterceptorChain([{ intercept }]);
      expect(() => chain.intercept()).toThrow(
        'intercept() gave a promise, and must answer at once',
      );
    }
    expect(new InterceptorChain([{ intercept: () => undefined as never }]).intercept()).toBe(true);
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
