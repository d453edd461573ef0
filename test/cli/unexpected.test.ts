import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** A role's process in which `code` runs; resolves to its exit code and what its log said. */
async function run(code: string): Promise<{ exitCode: number | null; log: string }> {
  const source = `
    import { createRealSystem } from '${root}/system/real/index.ts';
    import { tellUnexpected } from '${root}/cli/unexpected.ts';
    const system = createRealSystem({ logLevel: 'error' });
    tellUnexpected({ system }, 'broker');
    setTimeout(() => {
      console.error(JSON.stringify(system.problems.list().map(({ text }) => text)));
      process.exit(0);
    }, 200);
    ${code}`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], {
    cwd: root,
  });
  let log = '';
  child.stderr.on('data', (bytes) => {
    log += bytes;
  });
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { exitCode, log };
}

it('a rejection that nobody awaited is told with its stack, and the role goes on', async () => {
  const { exitCode, log } = await run(`Promise.reject(new Error('nobody awaits me'));`);
  expect(log).toContain('a failure that nobody awaited; the role goes on');
  expect(log).toMatch(/nobody awaits me[\s\S]*at /);
  expect(log).toContain('may stand still');
  expect(exitCode).toBe(0);
});

it('an exception that nobody caught is told with its stack, and the process ends with 1', async () => {
  const { exitCode, log } = await run(`setTimeout(() => { throw new Error('not caught'); });`);
  expect(log).toMatch(/not caught[\s\S]*at /);
  expect(exitCode).toBe(1);
});
