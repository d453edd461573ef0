import { describe, expect, it } from 'vitest';
import type { Context } from '../../cli/context.js';
import { dump } from '../../cli/log-dump.js';
import { verify } from '../../cli/log-verify.js';
import type { Terminal } from '../../cli/terminal.js';
import { BatchWriter, encodeHeaders, stampBatch } from '../../protocol/records/index.js';
import { createSimSystem } from '../../system/sim/index.js';

const SEGMENT = '/data/app-logs-0/00000000000000000000.log';

function batch(baseOffset: number, values: readonly string[]): Buffer {
  const writer = new BatchWriter(4_096);
  const headers = encodeHeaders([['host', Buffer.from('a')]]);
  for (const value of values) {
    const bytes = Buffer.from(value);
    const key = Buffer.from('k');
    writer.tryAppend(1_000, key, 0, 1, bytes, 0, bytes.length, headers);
  }
  const closed = Buffer.from(
    writer.close({ codec: 'gzip', producerId: -1, producerEpoch: -1, baseSequence: -1 }),
  );
  stampBatch(closed, 0, baseOffset, 0);
  return closed;
}

function setUp(content: Buffer) {
  const system = createSimSystem({ seed: 1 }).process('cli');
  system.disk.makeDirectorySync('/data/app-logs-0');
  system.disk.replaceFileSync(SEGMENT, content);
  const data: string[] = [];
  const said: string[] = [];
  const terminal = {
    data: async (chunk: string) => void data.push(chunk),
    say: (line: string) => void said.push(line),
  } as unknown as Terminal;
  const context: Context = { system, terminal, environment: {}, script: 'main.js' };
  return { context, data, said };
}

const good = Buffer.concat([batch(0, ['one', 'two']), batch(2, ['three'])]);

describe('log dump', () => {
  it('prints batches and records', async () => {
    const { context, data } = setUp(good);
    expect(await dump(context, '/data', { output: 'text' })).toBe(0);
    const text = data.join('');
    expect(text).toContain(`${SEGMENT}\nbaseOffset: 0 lastOffset: 1 count: 2 position: 0`);
    expect(text).toContain('offset: 2 CreateTime: 1000 headers: [host=a] key: k value: three');
  });

  it('prints JSON, and stops where told', async () => {
    const { context, data } = setUp(good);
    expect(await dump(context, SEGMENT, { output: 'json', max: 1 })).toBe(0);
    expect(data).toHaveLength(1);
    expect(JSON.parse(data[0] ?? '')).toMatchObject({
      baseOffset: 0,
      codec: 'gzip',
      records: [{ offset: 0, key: 'k', value: 'one', headers: [['host', 'a']] }, { offset: 1 }],
    });
  });
});

describe('log verify', () => {
  it('finds a whole log good', async () => {
    const { context, said } = setUp(good);
    expect(await verify(context, '/data', { output: 'text' })).toBe(0);
    expect(said).toEqual(['1 segments, 2 batches, 3 records: all good']);
  });

  it('names the byte where something is wrong', async () => {
    const flipped = Buffer.from(good);
    flipped[good.length - 2] = (flipped[good.length - 2] ?? 0) ^ 1;
    for (const content of [flipped, good.subarray(0, good.length - 3), good.subarray(0, 70)]) {
      const { context, said } = setUp(content);
      expect(await verify(context, '/data', { output: 'text' })).toBe(1);
      expect(said[0]).toMatch(/^\/data\/app-logs-0\/0+\.log: byte \d+: /);
      expect(await dump(context, '/data', { output: 'text' })).toBe(1);
    }
    const backwards = setUp(Buffer.concat([batch(5, ['x']), batch(2, ['y'])]));
    expect(await verify(backwards.context, '/data', { output: 'text' })).toBe(1);
  });

  it('says where there is nothing to look at', async () => {
    const { context } = setUp(good);
    await expect(verify(context, '/nowhere', { output: 'text' })).rejects.toThrow(
      '/nowhere: it does not exist',
    );
    context.system.disk.makeDirectorySync('/empty');
    await expect(verify(context, '/empty', { output: 'text' })).rejects.toThrow(
      'there is no segment',
    );
  });
});
