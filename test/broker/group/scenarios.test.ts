import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runScenario } from './scenario.js';

/**
 * Golden scenarios: each file tells one story, with the answers beneath each command. After a
 * change that is meant, LOGFLUME_REWRITE=1 writes the answers anew; read the difference.
 */
const folder = join(import.meta.dirname, 'scenarios');

describe('the group protocol, told in scenarios', () => {
  for (const name of readdirSync(folder)) {
    it(name.replace('.txt', ''), () => {
      const path = join(folder, name);
      const script = readFileSync(path, 'utf8');
      const played = runScenario(script);
      if (process.env.LOGFLUME_REWRITE === '1') writeFileSync(path, played);
      expect(played).toBe(script);
    });
  }
});
