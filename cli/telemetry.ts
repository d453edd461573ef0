import type { Address } from '../config/index.js';
import { formatAddress } from '../config/index.js';
import type { System } from '../system/index.js';
import type { RunningRole } from './role-model.js';

/** Serves `/metrics` and `/health` of a role; answers 503 to `/health` once it drains. */
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
        const state = role.draining() ? 'draining' : 'ok';
        const body = { role: role.name, state, status: role.running.status() };
        return reply(state === 'ok' ? 200 : 503, 'application/json', `${JSON.stringify(body)}\n`);
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
