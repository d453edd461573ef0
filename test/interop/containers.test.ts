import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { freePort } from '../peers/apache-kafka.js';
import { logflume, temporaryFolder, writeConfig } from '../peers/logflume.js';
import { Program } from '../peers/process.js';

const main = join(import.meta.dirname, '../../dist/cli/main.js');
const ownNamespace = ['--pid', '--fork', '--kill-child', '--mount-proc'];
const isPermitted = spawnSync('unshare', [...ownNamespace, 'true']).status === 0;
if (!isPermitted) console.log('skipped: no process id namespace can be made here');

let folder: ReturnType<typeof temporaryFolder>;
const programs: Program[] = [];

beforeEach(() => {
  folder = temporaryFolder('containers');
});

afterEach(async () => {
  for (const program of programs.splice(0)) await program.stop('SIGKILL');
  folder.remove();
});

it.runIf(isPermitted)(
  'two containers do not share a data_dir, and a killed one gives it free',
  async () => {
    const logs = join(folder.path, 'logs');
    mkdirSync(logs);
    const config = writeConfig(folder.path, 'agent.yaml', {
      data_dir: join(folder.path, 'data'),
      kafka: { bootstrap: [`127.0.0.1:${await freePort()}`] },
      agent: { sources: { app: { type: 'file', include: [`${logs}/*.log`], topic: 't' } } },
    });
    const inContainer = (): Program => {
      const command = [process.execPath, main, 'agent', '-c', config];
      const program = new Program('unshare', [...ownNamespace, ...command]);
      programs.push(program);
      return program;
    };
    const first = inContainer();
    await first.until(/agent is running/);
    const second = inContainer();
    expect(await second.exited).toBe(1);
    expect(second.stderr).toMatch(/is in use by the logflume agent .* of another container/);
    await first.stop('SIGKILL');
    const third = logflume(['agent', '-c', config]);
    programs.push(third);
    await third.until(/agent is running/);
  },
);
