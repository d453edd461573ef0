import type { Role, RoleName } from './role-model.js';

/** Loads one role and nothing of the others. */
export async function loadRole(name: RoleName): Promise<Role> {
  switch (name) {
    case 'broker':
      return (await import('./role-broker.js')).brokerRole;
    case 'agent':
      return (await import('./role-agent.js')).agentRole;
    case 'sinks':
      return (await import('./role-sinks.js')).sinksRole;
  }
}
