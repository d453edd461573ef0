import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { crashAtEveryStep } from '../../system/sim/index.js';
import { FakeTopics } from './fake-producer.js';
import { inDrop, isNoFolder, mail, start } from './mail-world.js';

describe('the maildrop source', () => {
  it('sends a mail as it is, with its decoded headers, and deletes it then', () =>
    inDrop(async (drop) => {
      drop.write('/drop/one.eml', mail('one'));
      const source = await drop.start({ after: 'delete' }, { latencyMs: 500 });
      await drop.pause(1500);
      expect(drop.names).toEqual(['one.eml']);
      await source.drain();
      await source.stop();
      expect(drop.names).toEqual([]);
      expect(drop.topics.records).toMatchObject([
        {
          key: 'one.eml',
          value: mail('one'),
          headers: {
            'message-id': '<one@example.org>',
            from: 'Jörg <j@example.org>',
            to: 'a@example.org, B, C <b@example.org>',
            subject: 'äöü one',
            date: '2026-11-21T07:00:00.000Z',
          },
        },
      ]);
    }));

  it('waits until a file has settled, and does not wait for one that was renamed here', () =>
    inDrop(async (drop) => {
      drop.write('/spool/ready', mail('ready'));
      await drop.pause(5000);
      const source = await drop.start({ settle: '3s' });
      drop.write('/drop/growing', 'Subject: x\n');
      drop.write('/drop/.hidden', 'no');
      drop.disk.renameSync('/spool/ready', '/drop/ready');
      await drop.pause(2000);
      expect(drop.topics.keys).toEqual(['ready']);
      drop.write('/drop/growing', 'Subject: x\n\nbody');
      await drop.pause(2000);
      expect(drop.topics.keys).toEqual(['ready']);
      await drop.pause(2000);
      expect(drop.topics.ofKey('growing')).toEqual(['Subject: x\n\nbody']);
      await source.stop();
    }));

  it('keeps mails and remembers that they were sent, for as long as they are there', () =>
    inDrop(async (drop) => {
      drop.write('/drop/one', mail('one'));
      let source = await drop.start({ after: 'keep' });
      await source.drain();
      await source.stop();
      drop.sim.process('agent').kill();
      drop.write('/drop/two', mail('two'));
      source = await drop.start({ after: 'keep' });
      await source.drain();
      expect(drop.topics.records.map(({ key }) => key)).toEqual(['one', 'two']);
      await source.stop();
      drop.sim.process('agent').kill();
      drop.disk.removeSync('/drop/one');
      drop.write('/drop/one', mail('another'));
      source = await drop.start({ after: 'keep' });
      await source.drain();
      await source.stop();
      expect(drop.topics.records.map(({ key }) => key)).toEqual(['one', 'two', 'one']);
    }));

  it('moves mails, never over one another', () =>
    inDrop(async (drop) => {
      const source = await drop.start({ after: 'move', move_to: '/done' });
      for (const text of ['first', 'second']) {
        drop.write('/drop/one', mail(text));
        await drop.pause(5000);
      }
      await source.stop();
      expect(drop.disk.listSync('/done')).toEqual(['one', 'one.1']);
      expect(drop.disk.readFileSync('/done/one.1').toString()).toBe(mail('second'));
    }));

  it('puts what is too large or cannot be read aside, with the reason', () =>
    inDrop(async (drop) => {
      drop.sim
        .volume()
        .inject(({ process, call, path }) =>
          process === 'agent' && call === 'read' && path === '/drop/locked' ? 'EACCES' : undefined,
        );
      drop.write('/drop/large', mail('large', 'x'.repeat(5000)));
      drop.write('/drop/locked', mail('locked'));
      drop.write('/drop/fine', mail('fine'));
      const source = await drop.start({ max_mail_bytes: 4000, after: 'delete' });
      await source.drain();
      expect(source.status().failed).toBe(2);
      await source.stop();
      expect(drop.topics.keys).toEqual(['fine']);
      const failed = ['large', 'large.reason', 'locked', 'locked.reason'];
      expect(drop.disk.listSync('/drop/failed')).toEqual(failed);
      expect(drop.disk.readFileSync('/drop/failed/large.reason').toString()).toMatch(
        /large: it has \d+ bytes; max_mail_bytes is 4000/,
      );
    }));

  it.each([
    ['nothing', ''],
    ['no mail', '\0\xff\xfe no headers at all'],
    ['a broken head', 'Subject: =?utf-8?b?%%%%?=\r\nFrom:\r\n'],
  ])('delivers %s raw', (_what, content) =>
    inDrop(async (drop) => {
      drop.write('/drop/x', content);
      const source = await drop.start();
      await source.drain();
      await source.stop();
      const [value] = drop.topics.ofKey('x');
      expect(Buffer.from(value ?? 'none', 'latin1')).toEqual(Buffer.from(content));
    }),
  );

  it('sends again what failed, and stops while the producer is full', () =>
    inDrop(async (drop) => {
      for (let i = 0; i < 12; i++) drop.write(`/drop/${i}`, mail(String(i)));
      const fails = (batch: number) => batch === 1;
      const source = await drop.start({ after: 'delete' }, { capacity: 2, fails });
      await source.drain();
      await source.stop();
      expect(new Set(drop.topics.keys).size).toBe(12);
      expect(drop.names).toEqual([]);
    }));

  it.each(['delete', 'keep', 'move'])('loses no mail wherever it is killed (%s)', async (after) => {
    const options = { after, ...(after === 'move' && { move_to: '/done' }) };
    let topics = new FakeTopics();
    const names = ['a', 'b', 'c'];
    await crashAtEveryStep({
      seed: 9,
      kinds: ['kill'],
      prepare: async (sim) => {
        topics = new FakeTopics();
        const { disk } = sim.process('writer');
        for (const directory of ['/drop', '/data']) disk.makeDirectorySync(directory);
        for (const name of names) {
          const file = disk.openSync(`/drop/${name}`, 'w');
          file.writeSync([Buffer.from(mail(name))], 0);
          file.closeSync();
        }
      },
      work: async (process) => {
        const source = await start(process, topics, options);
        await source.drain();
        await source.stop();
      },
      check: async (sim) => {
        const process = sim.process('again');
        const source = await start(process, topics, options);
        await source.drain();
        await source.stop();
        expect(topics.keys).toEqual(names);
        const left = after === 'keep' ? names : [];
        expect(process.disk.listSync('/drop').filter(isNoFolder)).toEqual(left);
        if (after === 'move') {
          expect(process.disk.listSync('/done').filter((name) => !name.includes('.'))).toEqual(
            names,
          );
        }
      },
    });
  });
});

const samples = join(import.meta.dirname, '../../../shared/data/mail');

describe.skipIf(!existsSync(samples))('real mails (skipped: ../shared/data/mail is absent)', () => {
  it('arrive byte for byte', () =>
    inDrop(async (drop) => {
      const names = readdirSync(samples).filter((name) => name.endsWith('.eml'));
      for (const name of names) drop.write(`/drop/${name}`, readFileSync(join(samples, name)));
      const source = await drop.start({ after: 'delete' });
      await source.drain();
      await source.stop();
      expect(drop.topics.records).toHaveLength(names.length);
      for (const name of names) {
        const original = readFileSync(join(samples, name)).toString('latin1');
        expect(drop.topics.ofKey(name)).toEqual([original]);
      }
      const subjects = drop.topics.records.filter(({ headers }) => headers.subject).length;
      expect(subjects).toBeGreaterThan(names.length / 2);
    }));
});
