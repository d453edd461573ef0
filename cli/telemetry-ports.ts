import type { Address } from '../config/index.js';
import { type RoleName, roleNames } from './role-model.js';

/** What of a file says where telemetry is served. */
type Served = { readonly telemetry?: { readonly listen: Address } | undefined } & {
  readonly [Name in RoleName]?: unknown;
};

/** Where `up` serves the telemetry of a role: each process needs a port, they count up. */
export function telemetryPort(listen: Address, role: RoleName): Address {
  const port = listen.port === 0 ? 0 : listen.port + roleNames.indexOf(role);
  return { host: listen.host, port };
}

/** Where each role of a file serves its telemetry: with `up`, or where it is the only one. */
export function telemetryPorts(config: Served): { role: RoleName; listen: Address }[] {
  const { telemetry } = config;
  const roles = roleNames.filter((role) => config[role] !== undefined);
  if (telemetry === undefined) return [];
  return roles.map((role) => {
    const alone = roles.length === 1;
    return { role, listen: alone ? telemetry.listen : telemetryPort(telemetry.listen, role) };
  });
}
