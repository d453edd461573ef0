import { FailedRecords } from '../../agent/failed-records.js';
import { createChain, interceptors } from '../../agent/interceptors/index.js';
import { Positions } from '../../agent/positions.js';
import { MaildropSource, maildropOptions } from '../../agent/sources/maildrop/index.js';
import type { Disk } from '../../system/index.js';
import { createSimSystem, type SimProcess, type Simulation } from '../../system/sim/index.js';
import { FakeProducer, type FakeProducerOptions, FakeTopics } from './fake-producer.js';

/** A mail. */
export const mail = (subject: string, body = 'Hello.\r\n') =>
  `Message-ID: <${subject}@example.org>\r\nFrom: =?utf-8?q?J=C3=B6rg?= <j@example.org>\r\n` +
  `To: a@example.org, "B, C" <b@example.org>\r\nSubject: =?utf-8?b?w6TDtsO8?= ${subject}\r\n` +
  `Date: Sat, 21 Nov 2026 08:00:00 +0100\r\n\r\n${body}`;

/** Starts a source on the directory `/drop`. */
export async function start(
  system: SimProcess,
  topics: FakeTopics,
  options: Record<string, unknown> = {},
  producer: FakeProducerOptions = {},
): Promise<MaildropSource> {
  const parsed = maildropOptions.parse({
    ...{ directory: '/drop', topic: 'mail', key: '{name}', ...options },
  });
  const positions = await Positions.open(system, '/data');
  const fake = new FakeProducer(system.clock, topics, producer);
  const failed = { directory: '/data/failed', topic: undefined };
  const source = new MaildropSource(
    {
      system,
      name: 'post',
      log: system.log,
      producer: fake,
      failedRecords: new FailedRecords(system, fake, failed),
      chain: createChain(interceptors, [], { system, source: 'post' }),
      positions: positions.of('post'),
      maxOpenFiles: Number.POSITIVE_INFINITY,
      host: 'h',
    },
    parsed,
  );
  await source.start();
  return source;
}

/** Mails pass through a hidden folder on their way out, which stays. */
export const isNoFolder = (name: string) => name !== '.logflume';

/** A mail directory on a simulated machine. */
export class Drop {
  readonly topics = new FakeTopics();
  disk: Disk;

  constructor(readonly sim: Simulation = createSimSystem({ seed: 5 })) {
    this.disk = sim.process('writer').disk;
    for (const directory of ['/drop', '/data', '/spool']) this.disk.makeDirectorySync(directory);
    this.disk.syncDirectorySync('/');
  }

  /** After a power cut the writers start again too. */
  reopen(): void {
    this.disk = this.sim.process('writer').disk;
  }

  pause(ms: number): Promise<void> {
    return this.sim.process('writer').clock.sleep(ms);
  }

  write(path: string, content: string | Buffer): void {
    const file = this.disk.openSync(path, 'w');
    file.writeSync([Buffer.from(content as string)], 0);
    file.syncSync();
    file.closeSync();
  }

  start(options: Record<string, unknown> = {}, producer: FakeProducerOptions = {}) {
    return start(this.sim.process('agent'), this.topics, options, producer);
  }

  get names(): string[] {
    return this.disk.listSync('/drop').filter(isNoFolder);
  }
}

export async function inDrop(scenario: (drop: Drop) => Promise<void>): Promise<void> {
  const drop = new Drop();
  await drop.sim.run(scenario(drop), { limitMs: 600_000 });
}
