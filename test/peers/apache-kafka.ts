import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { hasProgram, Program, run } from './process.js';

export const apacheKafkaVersion = '4.3.1';

const cache = join(
  import.meta.dirname,
  '../../node_modules/.cache/logflume',
  `apache-kafka-${apacheKafkaVersion}`,
);

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>logflume</groupId><artifactId>kafka-peer</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
      <version>${apacheKafkaVersion}</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId>
      <version>${apacheKafkaVersion}</version></dependency>
  </dependencies>
</project>
`;

export const hasApacheKafka = (): boolean => hasProgram('java') && hasProgram('mvn');

/** Apache Kafka's jars, resolved by Maven once and remembered. */
export async function apacheKafkaClasspath(): Promise<string> {
  const file = join(cache, 'classpath.txt');
  if (existsSync(file)) {
    const classpath = readFileSync(file, 'utf8').trim();
    if (classpath.split(':').every((jar) => existsSync(jar))) return classpath;
  }
  mkdirSync(cache, { recursive: true });
  writeFileSync(join(cache, 'pom.xml'), pom);
  await run('mvn', ['-q', '-B', 'dependency:build-classpath', `-Dmdep.outputFile=${file}`], {
    cwd: cache,
    timeoutMs: 300_000,
  });
  return readFileSync(file, 'utf8').trim();
}

/** Runs one of Kafka's tools to its end. */
export async function kafkaTool(
  mainClass: string,
  args: readonly string[],
  timeoutMs = 180_000,
): Promise<{ stdout: string; stderr: string }> {
  const classpath = await apacheKafkaClasspath();
  return run('java', ['-Xmx512m', '-cp', classpath, mainClass, ...args], { timeoutMs });
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Apache Kafka on one node (KRaft), in `directory`. */
export async function startApacheKafka(
  directory: string,
  properties: Readonly<Record<string, string>> = {},
): Promise<{ bootstrap: string; program: Program; stop(): Promise<void> }> {
  const classpath = await apacheKafkaClasspath();
  const [port, controllerPort] = [await freePort(), await freePort()];
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': join(directory, 'logs'),
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '5',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    ...properties,
  };
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'server.properties');
  writeFileSync(
    file,
    Object.entries(settings)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  await kafkaTool('kafka.tools.StorageTool', [
    'format',
    '-t',
    'MkU3OEVBNTcwNTJENDM2Qg',
    '-c',
    file,
  ]);
  const program = new Program('java', ['-Xms1g', '-Xmx1g', '-cp', classpath, 'kafka.Kafka', file]);
  const bootstrap = `127.0.0.1:${port}`;
  try {
    await answers(port, program);
  } catch (error) {
    await program.stop('SIGKILL');
    throw error;
  }
  return { bootstrap, program, stop: async () => void (await program.stop('SIGTERM', 15_000)) };
}

/** Resolves when the broker answers Metadata with itself as a live node. */
async function answers(port: number, program: Program): Promise<void> {
  const { Kafka, logLevel } = await import('kafkajs');
  const deadline = Date.now() + 60_000;
  for (;;) {
    const admin = new Kafka({
      brokers: [`127.0.0.1:${port}`],
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    }).admin();
    try {
      await admin.connect();
      const { brokers } = await admin.describeCluster();
      if (brokers.length > 0) return;
    } catch (error) {
      const ended = program.child.exitCode !== null;
      if (ended || Date.now() > deadline) {
        throw new Error(`Apache Kafka did not come up: ${program.stderr.slice(-3000)}`, {
          cause: error,
        });
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    } finally {
      await admin.disconnect();
    }
  }
}
