import { join } from 'node:path';
import { apacheKafkaClasspath } from './apache-kafka.js';
import { run } from './process.js';

const source = join(import.meta.dirname, 'KafkaTools.java');

/** What one of Kafka's tools did: its exit code, and what it printed to both outputs. */
export interface ToolResult {
  readonly status: number;
  readonly text: string;
}

/** Runs Kafka's tools in their order in one JVM, whose start costs more than all of them. */
export async function kafkaTools(commands: readonly (readonly string[])[]): Promise<ToolResult[]> {
  const classpath = await apacheKafkaClasspath();
  const input = commands.map((words) => `${words.join('\t')}\n`).join('');
  const args = ['-Xmx512m', '-XX:TieredStopAtLevel=1', '-cp', classpath, source];
  const { stdout } = await run('java', args, { input, timeoutMs: 180_000 });
  const results: ToolResult[] = [];
  let rest = Buffer.from(stdout);
  for (const words of commands) {
    const head = /^exit (\d+) (\d+)\n/.exec(rest.subarray(0, 40).toString());
    if (head === null) throw new Error(`no answer of ${words.join(' ')}`);
    const [start, bytes] = [head[0].length, Number(head[2])];
    const text = rest.subarray(start, start + bytes).toString();
    results.push({ status: Number(head[1]), text });
    rest = rest.subarray(start + bytes + 1);
  }
  return results;
}
