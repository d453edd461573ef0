import { describe, expect, it } from 'vitest';
import { exitCodeOf, UsageError, words } from '../../cli/failure.js';
import { LineSplitter } from '../../cli/line-splitter.js';
import { brokerAddressOf, overridden } from '../../cli/sections.js';
import { table } from '../../cli/table.js';
import { parseWhere } from '../../cli/where.js';
import { ConfigError } from '../../config/index.js';
import { fc } from '../fast-check.js';

describe('words', () => {
  it('turns the errors of the system into sentences', () => {
    const inUse = Object.assign(new Error('listen EADDRINUSE'), {
      code: 'EADDRINUSE',
      syscall: 'listen',
      address: '127.0.0.1',
      port: 9092,
    });
    expect(words(inUse)).toBe(
      'listen 127.0.0.1:9092: the address is already in use by another process',
    );
    const missing = Object.assign(new Error('x'), { code: 'ENOENT', syscall: 'open', path: '/x' });
    expect(words(missing)).toBe('/x: no such file or directory (open)');
    expect(words(new Error('plain'))).toBe('plain');
    expect(words('text')).toBe('text');
  });

  it('has an exit code for each kind of failure', () => {
    expect(exitCodeOf(new ConfigError('f', 'bad'))).toBe(78);
    expect(exitCodeOf(new UsageError('x'))).toBe(2);
    expect(exitCodeOf(new Error('x'))).toBe(1);
  });
});

describe('parseWhere', () => {
  it('reads places', () => {
    expect(parseWhere('--from', 'beginning')).toBe('beginning');
    expect(parseWhere('--to', 'latest')).toBe('end');
    expect(parseWhere('--to', '42')).toBe(42);
    for (const text of ['2026-11-21', '2026-11-21T00:00:00', '2026-11-21T01:00:00+01:00']) {
      expect(parseWhere('--to', text)).toEqual({ timestamp: 1_795_219_200_000 });
    }
    for (const text of ['', 'soon', '-1', '2026-13-99', '1.5']) {
      expect(() => parseWhere('--from', text)).toThrow('--from');
    }
  });
});

describe('LineSplitter', () => {
  it('finds the same lines however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'é', '\r', '\n', '\n\n', 'bc')), (parts) => {
        const splitter = new LineSplitter();
        const bytes = Buffer.from(parts.join(''));
        const lines: Buffer[] = [];
        for (let at = 0; at < bytes.length; at += 3) {
          lines.push(...splitter.push(bytes.subarray(at, at + 3)));
        }
        lines.push(...splitter.end());
        const expected = bytes.toString('latin1').split('\n');
        if (expected.at(-1) === '') expected.pop();
        expect(lines.map((line) => line.toString('latin1'))).toEqual(expected);
      }),
    );
  });
});

describe('overridden', () => {
  it('takes the broker of the same file for the default', () => {
    expect(overridden({ broker: {} }, {}).kafka).toEqual({ bootstrap: ['127.0.0.1:9092'] });
    const broker = { listeners: [{ listen: '0.0.0.0:1', advertise: 'a:1' }] };
    expect(overridden({ broker }, {}).kafka).toEqual({ bootstrap: ['a:1'] });
    expect(overridden({ agent: {} }, {}).kafka).toBeUndefined();
    expect(brokerAddressOf({ broker: 'nonsense' })).toBeUndefined();
    const anyPort = { listeners: [{ listen: '127.0.0.1:0' }] };
    expect(overridden({ broker: anyPort }, {}).kafka).toBeUndefined();
  });

  it('prefers what the command line says', () => {
    const document = { kafka: { bootstrap: ['x:1'], tls: {} }, broker: { topics: {} } };
    expect(overridden(document, { bootstrap: 'y:2,z:3', listen: 'h:4', telemetry: 't:5' })).toEqual(
      {
        kafka: { bootstrap: ['y:2', 'z:3'], tls: {} },
        broker: { topics: {}, listeners: [{ listen: 'h:4' }] },
        telemetry: { listen: 't:5' },
      },
    );
  });
});

describe('table', () => {
  it('aligns columns without lines', () => {
    expect(table(['TOPIC', 'LAG'], [['app-logs', 12]])).toBe('TOPIC     LAG\napp-logs  12\n');
  });
});
