import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Consumer, Producer } from 'logflume';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, hasApacheKafka } from '../peers/apache-kafka.js';
import { kafkaTools, type ToolResult } from '../peers/kafka-tools.js';
import { startLogflumeBroker, temporaryFolder } from '../peers/logflume.js';
import { present } from '../peers/process.js';

const found = present('java with mvn (for Apache Kafka)', hasApacheKafka());
const groupCommand = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand';

describe.skipIf(!found)("Apache Kafka's admin tools on our broker", () => {
  const folder = temporaryFolder('admin-tools');
  let broker: Awaited<ReturnType<typeof startLogflumeBroker>>;

  beforeAll(async () => {
    broker = await startLogflumeBroker(folder.path, await freePort(), {
      properties: { 'log.retention.hours': 100 },
      topics: { t: { partitions: 2 } },
    });
    const producer = new Producer({ bootstrap: [broker.bootstrap] });
    const value = Buffer.from('x');
    const records = Array.from({ length: 20 }, (_, n) => ({ topic: 't', partition: n % 2, value }));
    await producer.send(records);
    await producer.close();
  });
  afterAll(async () => {
    await broker?.stop();
    folder.remove();
  });

  const on = (tool: string, ...words: string[]) => [
    tool,
    '--bootstrap-server',
    broker.bootstrap,
    ...words,
  ];

  /** NEW-OFFSET or CURRENT-OFFSET by partition of a table of ConsumerGroupCommand. */
  const offsets = ({ text }: ToolResult | undefined = { status: 0, text: '' }) =>
    [...text.matchAll(/^\S+ +t +(\d) +(\d+|-)/gm)]
      .map(([, partition, offset]) => `${partition}:${offset}`)
      .sort()
      .join(' ');

  it('ConsumerGroupCommand lists, describes, resets and deletes', async () => {
    const live = new Consumer({ bootstrap: [broker.bootstrap], groupId: 'live' });
    live.subscribe({ topics: ['t'] });
    const running = live.run({ onMessage: async () => {} });
    const group = (...words: string[]) => on(groupCommand, ...words);
    const reset = (...words: string[]) =>
      group('--reset-offsets', '--group', 'dead', ...words, '--execute');
    const file = join(folder.path, 'reset.csv');
    writeFileSync(file, '"t",0,3\n"t",1,4\n');
    const whole = ['--topic', 't'];
    try {
      await expect.poll(() => live.assignment().length, { timeout: 10_000 }).toBe(2);
      const resets: [string[], string][] = [
        [reset(...whole, '--to-earliest'), '0:0 1:0'],
        [reset(...whole, '--to-latest'), '0:10 1:10'],
        [reset('--topic', 't:0', '--to-offset', '2'), '0:2'],
        [reset('--topic', 't:0', '--to-offset', '999'), '0:10'],
        [reset(...whole, '--to-datetime', '2020-01-01T00:00:00.000'), '0:0 1:0'],
        [reset(...whole, '--to-datetime', '2099-01-01T00:00:00.000'), '0:10 1:10'],
        [reset(...whole, '--shift-by', '-3'), '0:7 1:7'],
        [reset(...whole, '--by-duration', 'PT1H'), '0:0 1:0'],
        [reset('--from-file', file), '0:3 1:4'],
        [reset('--all-topics', '--to-current'), '0:3 1:4'],
        [
          group('--reset-offsets', '--group', 'dead', ...whole, '--to-latest', '--dry-run'),
          '0:10 1:10',
        ],
        [group('--describe', '--group', 'dead'), '0:3 1:4'],
      ];
      const others = [
        group('--list', '--state'),
        group('--describe', '--group', 'live'),
        group('--describe', '--group', 'live', '--members', '--verbose'),
        group('--describe', '--group', 'live', '--state'),
        group('--reset-offsets', '--group', 'live', ...whole, '--to-earliest', '--execute'),
        group('--delete', '--group', 'live'),
        group('--delete-offsets', '--group', 'dead', ...whole),
        group('--delete', '--group', 'dead'),
        group('--list'),
      ];
      const results = await kafkaTools([...resets.map(([command]) => command), ...others]);
      const given = resets.map(([command], index) => [command.slice(4), offsets(results[index])]);
      expect(given).toEqual(resets.map(([command, wanted]) => [command.slice(4), wanted]));
      const texts = results.slice(resets.length).map(({ text }) => text);
      expect(texts[0]).toMatch(/dead +Empty/);
      expect(texts[0]).toMatch(/live +Stable/);
      expect(texts[1]).toMatch(/^live +t +1 +\S+ +10 +\S+ +\S+ +\/127\.0\.0\.1/m);
      expect(texts[2]).toMatch(/t:0,1/);
      expect(texts[3]).toMatch(/^live .*Stable +1\s*$/m);
      expect(texts[4]).toMatch(/group 'live' is inactive, but the current state is Stable/);
      expect(texts[5]).toMatch(/The group is not empty/);
      expect(texts[6]).toMatch(/does not support OFFSET_DELETE/);
      expect(texts[7]).toMatch(/\('dead'\) was successful/);
      expect(texts[8]?.trim()).toBe('live');
    } finally {
      await live.close();
      await running;
    }
  });

  it('TopicCommand, GetOffsetShell and ConfigCommand do what they do on Kafka', async () => {
    const topic = (...words: string[]) => on('org.apache.kafka.tools.TopicCommand', ...words);
    const config = (...words: string[]) => on('kafka.admin.ConfigCommand', ...words);
    const shell = (...words: string[]) => on('org.apache.kafka.tools.GetOffsetShell', ...words);
    const results = await kafkaTools([
      topic('--create', '--topic', 'made', '--partitions', '2', '--config', 'retention.ms=9000'),
      topic('--alter', '--topic', 'made', '--partitions', '3'),
      topic('--describe', '--topic', 'made'),
      config('--alter', '--topic', 'made', '--add-config', 'max.message.bytes=2000000'),
      config('--alter', '--topic', 'made', '--delete-config', 'retention.ms'),
      config('--describe', '--topic', 'made'),
      config('--describe', '--topic', 't', '--all'),
      config('--describe', '--broker', '1', '--all'),
      topic('--delete', '--topic', 'made'),
      shell('--topic', 't'),
      shell('--topic', 't', '--time', '-2'),
    ]);
    const texts = results.map(({ text }) => text);
    expect(texts[2]).toMatch(/PartitionCount: 3\tReplicationFactor: 1\tConfigs: retention.ms=9000/);
    expect(texts[5]).toMatch(/^ {2}max\.message\.bytes=2000000 /m);
    expect(texts[5]).not.toMatch(/retention\.ms/);
    expect(texts[6]?.match(/^ {2}max\.message\.bytes=/gm)).toHaveLength(1);
    const defaults = 'DEFAULT_CONFIG:message.max.bytes=1048588';
    expect(texts[6]).toContain(`max.message.bytes=1048588 sensitive=false synonyms={${defaults}}`);
    // What another unit has set is not told beside it: null, as Kafka does.
    expect(texts[7]).toMatch(/^ {2}log\.retention\.ms=null /m);
    expect(texts[7]).toContain(
      'log.retention.hours=100 sensitive=false synonyms={STATIC_BROKER_CONFIG:' +
        'log.retention.hours=100, DEFAULT_CONFIG:log.retention.hours=168}',
    );
    expect(texts[9]).toContain('t:0:10\nt:1:10\n');
    expect(texts[10]).toContain('t:0:0\nt:1:0\n');
    expect(results.map(({ status }) => status)).toEqual(results.map(() => 0));
  });
});
