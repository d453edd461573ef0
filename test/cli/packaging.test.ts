import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Context } from '../../cli/context.js';
import { createProgram } from '../../cli/program.js';

const root = join(import.meta.dirname, '../..');
const units = join(root, 'packaging/systemd');
const names = readdirSync(units);
const verifier = '/usr/bin/systemd-analyze';

/** The settings of a unit, `Section.Key` to its value. */
function settingsOf(text: string): Map<string, string> {
  let section = '';
  const settings = new Map<string, string>();
  for (const line of text.split('\n')) {
    section = /^\[(\w+)\]$/.exec(line)?.[1] ?? section;
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (key !== undefined) settings.set(`${section}.${key}`, value ?? '');
  }
  return settings;
}

describe('the units for systemd', () => {
  it('are in the package', () => {
    const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(files).toContain('packaging');
  });

  for (const name of names) {
    const settings = settingsOf(readFileSync(join(units, name), 'utf8'));

    it(`${name} is whole, and starts a command that there is`, () => {
      for (const key of ['User', 'StateDirectory', 'LimitNOFILE', 'WorkingDirectory', 'Restart']) {
        expect(settings.get(`Service.${key}`), key).toBeTruthy();
      }
      expect(settings.get('Unit.Description')).toBeTruthy();
      expect(settings.get('Install.WantedBy')).toBe('multi-user.target');
      expect(settings.get('Service.RestartPreventExitStatus')).toBe('78');
      const [env, program, command, flag] = (settings.get('Service.ExecStart') ?? '').split(' ');
      expect([env, program, flag]).toEqual(['/usr/bin/env', 'logflume', '-c']);
      const context = { terminal: { say() {} } } as unknown as Context;
      const { commands } = createProgram(context, () => async () => {});
      expect(commands.map((each) => each.name())).toContain(command);
    });

    it.skipIf(!existsSync(verifier))(`${name} passes systemd-analyze verify`, () => {
      const { status, stderr } = spawnSync(verifier, ['verify', join(units, name)], {
        encoding: 'utf8',
      });
      expect(stderr).not.toMatch(/Unknown|invalid|ignoring/i);
      expect(status, stderr).toBe(0);
    });
  }
});
