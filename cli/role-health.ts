import { type Address, formatAddress } from '../config/index.js';
import type { Problem, System } from '../system/index.js';
import { words } from './failure.js';
import type { RoleName } from './role-model.js';
import { telemetryPort, telemetryPorts } from './telemetry-ports.js';
import type { WholeConfig } from './whole-config.js';

const ANSWER_MS = 2_000;

/** How a role of a file answers on its `/health`. */
export interface RoleHealth {
  readonly role: RoleName;
  /** `unreachable`: nothing answers there as this role. */
  readonly state: 'ok' | 'degraded' | 'draining' | 'unreachable';
  readonly address: string;
  readonly problems: readonly Problem[];
  /** What the role counts; by role, as `/health` has it. */
  readonly status: unknown;
}

/** Asks each role of a file; empty where the file serves no telemetry. Never rejects. */
export function healthOfRoles(system: System, config: WholeConfig): Promise<RoleHealth[]> {
  const listen = config.telemetry?.listen;
  if (listen === undefined) return Promise.resolve([]);
  return Promise.all(
    telemetryPorts(config).map(async ({ role, listen: first }) => {
      const found = await healthOf(system, role, first);
      const other = telemetryPort(listen, role);
      // A file with one role may run alone or with `up`, which counts the ports.
      if (found.state !== 'unreachable' || other.port === first.port) return found;
      const counted = await healthOf(system, role, other);
      return counted.state === 'unreachable' ? found : counted;
    }),
  );
}

async function healthOf(system: System, role: RoleName, listen: Address): Promise<RoleHealth> {
  const everywhere = listen.host === '0.0.0.0' || listen.host === '::';
  const host = everywhere ? '127.0.0.1' : listen.host;
  const address = formatAddress({ host, port: listen.port });
  const unreachable = (why: string): RoleHealth => {
    const text = `it does not answer on http://${address}/health: ${why}`;
    const problem = { id: `role ${role}`, text, since: system.clock.now() };
    return { role, state: 'unreachable', address, problems: [problem], status: undefined };
  };
  try {
    const url = `http://${address}/health`;
    const { body } = await system.http.request({ method: 'GET', url, timeoutMs: ANSWER_MS });
    const health = JSON.parse(body.toString()) as Omit<RoleHealth, 'address'>;
    if (health.role !== role) return unreachable('another process answers there');
    const { state, problems, status } = health;
    return { role, state, address, problems, status };
  } catch (error) {
    return unreachable(error instanceof SyntaxError ? 'this is no /health of ours' : words(error));
  }
}
