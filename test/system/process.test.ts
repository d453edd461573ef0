import { execFileSync, fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRealSystem } from '../../system/real/index.js';

const system = createRealSystem();
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'logflume-process-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const script = (name: string, source: string) => {
  const path = join(directory, name);
  writeFileSync(path, source);
  return path;
};

describe('a child process', () => {
  it('is its own process group, talks, and says how it ended', async () => {
    const path = script(
      'child.mjs',
      `process.on('message', (message) => process.send({ echo: message, args: process.argv.slice(2), env: process.env.MARK }));
       process.send('ready');`,
    );
    const child = system.processes.fork(path, ['a', 'b'], { MARK: 'x' });
    const messages: unknown[] = [];
    const ended = new Promise((resolve) => child.onExit(resolve));
    await new Promise<void>((resolve) => {
      child.onMessage((message) => {
        messages.push(message);
        if (message === 'ready') child.send({ hello: 1 });
        else resolve();
      });
    });
    expect(messages[1]).toEqual({ echo: { hello: 1 }, args: ['a', 'b'], env: 'x' });
    const identity = system.processes.identity(child.pid);
    if (process.platform === 'linux') {
      expect(identity).toMatch(/^[\w-]+:\d+$/);
      expect(identity).not.toBe(system.processes.identity(process.pid));
      const group = execFileSync('ps', ['-o', 'pgid=', '-p', String(child.pid)])
        .toString()
        .trim();
      expect(Number(group)).toBe(child.pid);
    }
    child.kill('SIGKILL');
    expect(await ended).toEqual({ code: null, signal: 'SIGKILL' });
    child.send('into the void');
    expect(system.processes.identity(child.pid)).toBeUndefined();
  });
});

describe('metrics', () => {
  it('render in Prometheus’ words, with those of the process', async () => {
    const { metrics } = createRealSystem();
    const labels = { sink: 'a"b' };
    const counter = metrics.counter('logflume_lines_total', 'Lines.', labels);
    counter.inc();
    counter.inc(2);
    expect(metrics.counter('logflume_lines_total', 'Lines.', labels)).toBe(counter);
    let queue = 7;
    metrics.gauge('logflume_queue_bytes', 'Queue.', {}, () => queue);
    metrics.gauge('logflume_gone', 'Gone.', { topic: 't' }).set(1);
    metrics.remove('logflume_gone', { topic: 't' });
    const histogram = metrics.histogram('logflume_wait_seconds', 'Wait.', [0.1, 1]);
    for (const value of [0.05, 0.5, 5]) histogram.observe(value);
    queue = 9;
    const text = await metrics.render();
    expect(text).toContain('# TYPE logflume_lines_total counter');
    expect(text).toContain('logflume_lines_total{sink="a\\"b"} 3');
    expect(text).toContain('logflume_queue_bytes 9');
    expect(text).not.toContain('logflume_gone{');
    expect(text).toContain('logflume_wait_seconds_bucket{le="0.1"} 1');
    expect(text).toContain('logflume_wait_seconds_bucket{le="+Inf"} 3');
    expect(text).toContain('logflume_wait_seconds_sum 5.55');
    expect(text).toContain('process_cpu_seconds_total');
    expect(() => metrics.gauge('logflume_lines_total', 'x')).toThrow(/is a counter/);
  });
});

describe('the log', () => {
  const capture = (format: string, level?: string) => {
    const path = script('log.txt', '');
    execFileSync('sh', ['-c', `"$@" 2> ${path}`, 'sh', ...argsOf(format, level)]);
    return execFileSync('cat', [path], { encoding: 'utf8' });
  };
  const argsOf = (format: string, level = 'info') => [
    process.execPath,
    '--import',
    'tsx',
    script(
      'log.mts',
      `import { createRealSystem } from ${JSON.stringify(join(import.meta.dirname, '../../system/real/index.ts'))};
       const { log } = createRealSystem({ logFormat: '${format}', logLevel: '${level}' });
       log.debug('small');
       const cause = Object.assign(new Error('inner'), { code: 'EIO' });
       log.child({ role: 'broker' }).warn('words', { port: 1, error: new Error('outer', { cause }) });`,
    ),
  ];

  it('writes JSON lines', () => {
    const [line, rest] = capture('json').trim().split('\n');
    expect(rest).toBeUndefined();
    expect(JSON.parse(line ?? '')).toMatchObject({
      level: 'warn',
      msg: 'words',
      role: 'broker',
      port: 1,
      error: 'outer (EIO: inner)',
    });
  });

  it('writes plain lines for people', () => {
    expect(capture('text', 'debug')).toMatch(
      /^[\d:.]{12} debug small\n[\d:.]{12} warn {2}words role=broker port=1 error=outer \(EIO: inner\)\n$/,
    );
  });
});

it('hears of a terminal that was closed as of any other wish to end', async () => {
  const path = script(
    'signals.mts',
    `import { createRealSystem } from ${JSON.stringify(join(import.meta.dirname, '../../system/real/index.ts'))};
     const stop = createRealSystem().processes.onSignal((signal) => {
       stop();
       process.send(signal, () => process.disconnect());
     });
     // Who listens is kept alive.
     process.on('message', () => {});
     process.send('ready');`,
  );
  const child = fork(path, { execArgv: ['--import', 'tsx'] });
  const messages: unknown[] = [];
  const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
  child.on('message', (message) => {
    messages.push(message);
    if (message === 'ready') child.kill('SIGHUP');
  });
  expect(await ended).toBe(0);
  expect(messages).toEqual(['ready', 'SIGHUP']);
});
