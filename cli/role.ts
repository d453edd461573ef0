import type { Address } from '../config/index.js';
import { detach, type System } from '../system/index.js';
import type { Context } from './context.js';
import { ExitCode } from './failure.js';
import { asMessage, type FromRole, type ToRole } from './messages.js';
import type { RoleName, RunningRole } from './role-model.js';
import { loadRole } from './roles.js';
import { loadRoleConfig, type Overrides } from './sections.js';
import { StopRequest } from './stop-request.js';
import { serveTelemetry } from './telemetry.js';
import { tellUnexpected } from './unexpected.js';

/** After a lost parent, closing files cleanly may take this long. */
const ORPHAN_STOP_MS = 5_000;

/** Options of `logflume broker|agent|sinks`. */
export interface RoleOptions extends Overrides {
  readonly config: string;
  /** Of the sinks: `RoleSections.acceptGap`. */
  readonly acceptGap?: boolean;
}

/** Runs one role in this process until it is told to stop. */
export async function runRole(
  context: Context,
  name: RoleName,
  options: RoleOptions,
): Promise<number> {
  const { system } = context;
  tellUnexpected(context, name);
  const role = await loadRole(name);
  const config = await loadRoleConfig(context, role, options.config, options);
  const running = await role.start(system, { ...config, acceptGap: options.acceptGap === true });
  let draining = false;
  const telemetry = await startTelemetry(system, config.telemetry?.listen, {
    name,
    running,
    draining: () => draining,
  });
  const stop = new StopRequest(system, () => process.exit(ExitCode.failed));
  let timeoutMs = config.drain_timeout;
  answerParent(system, running, (limitMs) => {
    timeoutMs = limitMs;
    stop.request();
  });
  announce(context, name, running, telemetry?.address);
  await stop.requested;
  draining = true;
  const finished = await running.drain(timeoutMs);
  if (!finished) {
    system.log.warn(`${name}: stopped before everything was finished`, { timeoutMs });
  }
  await running.stop();
  await telemetry?.close();
  stop.close();
  return finished ? ExitCode.done : ExitCode.failed;
}

/** Serves telemetry where it is wanted; where that fails the role is closed again. */
async function startTelemetry(
  system: System,
  listen: Address | undefined,
  role: Parameters<typeof serveTelemetry>[2],
) {
  if (listen === undefined) return undefined;
  try {
    return await serveTelemetry(system, listen, role);
  } catch (error) {
    await role.running.stop();
    throw error;
  }
}

function announce(
  { system, terminal }: Context,
  name: RoleName,
  running: RunningRole,
  telemetry: string | undefined,
): void {
  const parent = system.processes.parent;
  if (parent) {
    const ready: FromRole = {
      type: 'ready',
      ...(running.address !== undefined && { address: running.address }),
      ...(running.listen !== undefined && { listen: running.listen }),
      ...(telemetry !== undefined && { telemetry }),
    };
    parent.send(ready);
    return;
  }
  const where = running.address === undefined ? '' : ` on ${running.address}`;
  terminal.say(`logflume ${name} is running${where}; stop it with Ctrl-C or SIGTERM`);
  if (telemetry !== undefined) terminal.say(`metrics and health: http://${telemetry}`);
}

function answerParent(
  system: System,
  running: RunningRole,
  drain: (timeoutMs: number) => void,
): void {
  const parent = system.processes.parent;
  if (!parent) return;
  parent.onMessage((value) => {
    const message = asMessage<ToRole>(value);
    if (message?.type === 'status') {
      const answer: FromRole = { type: 'status', status: running.status() };
      parent.send(answer);
    }
    if (message?.type === 'drain') drain(message.timeoutMs);
  });
  parent.onDisconnect(() => {
    const leave = () => process.exit(ExitCode.failed);
    system.clock.after(ORPHAN_STOP_MS, leave);
    detach(running.stop().then(leave), leave);
  });
}
