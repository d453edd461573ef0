import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { showConfig } from '../../config/describe/index.js';
import { webUrl, z } from '../../config/index.js';

const GIVEN = 'https://wri%40ter:s3cr%3Aet@collector:8443/in?token=t0ken&x=1';

describe('a URL with secrets in it', () => {
  const url = webUrl().parse(GIVEN);

  it('keeps them from whoever prints it', () => {
    const shown = [`${url}`, JSON.stringify({ url }), inspect({ url })].join(' ');
    expect(shown).not.toMatch(/wri|s3cr|t0ken/);
    expect(`${url}`).toBe('https://******@collector:8443/in?token=******&x=******');
    const show = showConfig(z.strictObject({ url: webUrl() }), { url: GIVEN });
    expect(show).not.toMatch(/wri|s3cr|t0ken/);
    expect(show).toContain('https://******@collector:8443/in?token=******');
  });

  it('gives them to whoever sends', () => {
    expect(url.reveal()).toBe('https://collector:8443/in?token=t0ken&x=1');
    expect(url.credentials?.reveal()).toBe('wri@ter:s3cr:et');
    expect(webUrl().parse('http://host/').credentials).toBeUndefined();
  });

  it.each(['ftp://user:s3cret@host/', 'user:s3cret@host', 'http://a%:s3cret@host/', ''])(
    'refuses %s without repeating it',
    (text) => {
      const { error } = webUrl().safeParse(text);
      expect(error?.issues[0]?.message).toBe('must be a URL such as https://collector:8080/in');
      expect(JSON.stringify(error?.issues)).not.toContain('s3cret');
    },
  );
});
