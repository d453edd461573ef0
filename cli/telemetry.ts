import type { Address } from '../config/index.js';
import { formatAddress } from '../config/index.js';
import type { System } from '../system/index.js';
import type { RunningRole } from './role-model.js';

/**
 * Serves `/metrics` and `/health` of a role. `/health` answers 503 once the role drains, and 200
 * with the state `degraded` while problems stand: a restart would not mend them.
 */
export async function serveTelemetry(
  system: System,
  listen: Address,
  role: { readonly name: string; readonly running: RunningRole; draining(): boolean },
): Promise<{ readonly address: string; close(): Promise<void> }> {
  const server = await system.http.serve(listen, async (method, path) => {
    if (method !== 'GET' && method !== 'HEAD') return reply(405, 'text/plain', 'only GET\n');
    switch (path.split('?')[0]) {
      case '/metrics':
        return reply(200, 'text/plain; version=0.0.4', await system.metrics.render());
      case '/health': {
        const problems = system.problems.list();
        const serving = problems.length === 0 ? 'ok' : 'degraded';
        const state = role.draining() ? 'draining' : serving;
        const body = { role: role.name, state, problems, status: role.running.status() };
        return reply(
          state === 'draining' ? 503 : 200,
          'application/json',
          `${JSON.stringify(body)}\n`,
        );
      }
      default:
        return reply(404, 'text/plain', 'there are /metrics and /health\n');
    }
  });
  return {
    address: formatAddress({ host: server.host, port: server.port }),
    close: () => server.close(),
  };
}

function reply(status: number, contentType: string, body: string) {
  return { status, contentType, body };
}
