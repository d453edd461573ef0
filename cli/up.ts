import { parseDuration } from '../config/index.js';
import { opened } from './archive-stores.js';
import type { Context } from './context.js';
import { type DemoArchive, DemoWriter, journalDirectory, judge } from './demo/index.js';
import { Ensemble } from './ensemble.js';
import { ExitCode, UsageError, words } from './failure.js';
import { StatusLine } from './figures.js';
import { LiveStatus } from './live-status.js';
import { StopRequest } from './stop-request.js';
import { RoleExit } from './supervised-role.js';
import { topicIds } from './topic-ids.js';
import { type LoadedWhole, loadWholeConfig, refuseWithoutRole } from './whole-config.js';

/** Options of `logflume up`. */
export interface UpOptions {
  readonly config: string;
  /** Stops by itself after this duration. */
  readonly for?: string;
  /** Handed to the sinks. */
  readonly acceptGap?: boolean;
}

/** Runs every role of a file, each in a process of its own, until it is told to stop. */
export async function up(context: Context, options: UpOptions): Promise<number> {
  const { system, terminal } = context;
  const forMs = options.for === undefined ? undefined : parseDuration(options.for);
  if (options.for !== undefined && forMs === undefined) {
    throw new UsageError(`--for ${options.for}: give a duration with its unit, such as 20s`);
  }
  const loaded = await loadWholeConfig(context, options.config);
  refuseWithoutRole(loaded);
  const { config, document } = loaded;
  // Its files and folders are there before the agent, which would say that it misses them.
  const writer = config.demo && new DemoWriter(system, config.demo);
  const ensemble = new Ensemble(context, {
    file: options.config,
    script: context.script,
    config,
    document: document as Record<string, unknown>,
    environment: terminal.interactive ? { LOGFLUME_LOG: 'warn' } : {},
    acceptGap: options.acceptGap,
    onDeath: (name, how) => {
      if (name === 'agent') writer?.agentDied();
      terminal.say(terminal.paint('yellow', `${name} ${how}; it is started again`));
    },
  });
  const stop = new StopRequest(system, () => {
    ensemble.kill();
    process.exit(ExitCode.failed);
  });
  try {
    await ensemble.start();
  } catch (error) {
    writer?.stop();
    await drainAll(ensemble);
    stop.close();
    if (error instanceof RoleExit) return error.exitCode;
    throw error;
  }
  let failed = false;
  writer?.start((error) => {
    terminal.say(terminal.paint('red', `the demo's writer gave up: ${words(error)}`));
    failed = true;
    stop.request();
  });
  const statusLine = new StatusLine();
  const live = new LiveStatus(context, () => {
    ensemble.askStatus();
    return statusLine.of({
      written: writer,
      agent: ensemble.role('agent')?.status,
      sinks: ensemble.role('sinks')?.status,
    });
  });
  live.start();
  const timer = forMs === undefined ? undefined : system.clock.after(forMs, () => stop.request());
  await stop.requested;
  timer?.cancel();
  live.stop();
  terminal.say('draining: writer, agent, sinks, broker');
  writer?.stop();
  const clean = await finish(context, ensemble, loaded, writer);
  stop.close();
  return clean && !failed ? ExitCode.done : ExitCode.failed;
}

async function drainAll(ensemble: Ensemble): Promise<boolean> {
  const agent = await ensemble.drain('agent');
  const sinks = await ensemble.drain('sinks');
  const broker = await ensemble.drain('broker');
  return agent && sinks && broker;
}

/** Drains in order and, where there is a demo, compares what arrived with what was written. */
async function finish(
  context: Context,
  ensemble: Ensemble,
  loaded: LoadedWhole,
  writer: DemoWriter | undefined,
): Promise<boolean> {
  const { terminal, system } = context;
  const report = (name: string, finished: boolean) => {
    if (!finished) {
      terminal.say(terminal.paint('red', `the ${name} did not finish within drain_timeout`));
    }
    return finished;
  };
  let clean = report('agent', await ensemble.drain('agent'));
  if (clean) writer?.agentFinished();
  clean = report('sinks', await ensemble.drain('sinks')) && clean;
  const { demo } = loaded.config;
  const logs = demo?.logs && archiveOf(context, loaded, demo.logs.sink);
  const mails = demo?.mails && archiveOf(context, loaded, demo.mails.sink);
  const topics = [logs, mails].flatMap((archive) => (archive ? [archive.topic] : []));
  const ids = demo && (await topicIds(context, ensemble.brokerAddress, topics));
  clean = report('broker', await ensemble.drain('broker')) && clean;
  if (!demo) return clean;
  const evidence = { journal: journalDirectory(demo), logs, mails };
  const verdict = await judge(system.disk, ids ? { ...evidence, topicIds: ids } : evidence);
  for (const line of verdict.lines) terminal.say(`  ${line}`);
  const judgement = verdict.good
    ? terminal.paint('green', 'verdict: the archive is what was written, byte for byte')
    : terminal.paint('red', 'verdict: the archive is NOT what was written');
  terminal.say(judgement);
  return clean && verdict.good;
}

/** Where a part of the demo ends up: the configuration was checked for it. */
function archiveOf(
  { system }: Context,
  { archives, config }: LoadedWhole,
  name: string,
): DemoArchive | undefined {
  const archive = archives.get(name);
  const [topic] = config.sinks?.[name]?.topics ?? [];
  if (archive === undefined || topic === undefined) return undefined;
  return { store: opened(system, archive), topic };
}
