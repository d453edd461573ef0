import { describe, expect, it } from 'vitest';
import { MaildropError } from '../../agent/sources/maildrop/index.js';
import { maildropOptions } from '../../agent/sources/maildrop/options.js';
import { pathFromBytes } from '../../system/index.js';
import type { SimProcess } from '../../system/sim/index.js';
import { type Drop, inDrop, mail, start } from './mail-world.js';

/** Calls `act` once, just before the agent first renames this path. */
function intruded(agent: SimProcess, path: string, act: () => void): SimProcess {
  let isDone = false;
  const { disk } = agent;
  const rename: typeof disk.rename = (from, to) => {
    if (!isDone && from === path) {
      isDone = true;
      act();
    }
    return disk.rename(from, to);
  };
  return Object.create(agent, { disk: { value: { ...disk, rename } } });
}

/** Reads in pieces, and calls `act` once behind the first. */
function readInPieces(agent: SimProcess, act: () => void): SimProcess {
  let isDone = false;
  const { disk } = agent;
  const open = async (...args: Parameters<typeof disk.open>) => {
    const file = await disk.open(...args);
    const read = async (target: Uint8Array, offset: number, length: number, at: number) => {
      const count = await file.read(target, offset, Math.min(length, 65_536), at);
      if (!isDone) act();
      isDone = true;
      return count;
    };
    const statSync = () => file.statSync();
    const closeSync = () => file.closeSync();
    const readSync: typeof file.readSync = (...last) => file.readSync(...last);
    return Object.assign(Object.create(file), { read, readSync, statSync, closeSync });
  };
  return Object.create(agent, { disk: { value: { ...disk, open } } });
}

function replace(drop: Drop, name: string, content: string): void {
  drop.write(`/spool/${name}`, content);
  drop.disk.renameSync(`/spool/${name}`, `/drop/${name}`);
}

describe('a name in the mail directory that is used again', () => {
  it.each(['delete', 'move', 'keep'])('while its mail is in flight (%s)', (after) =>
    inDrop(async (drop) => {
      const options = { after, ...(after === 'move' && { move_to: '/done' }) };
      drop.write('/drop/one', mail('first'));
      const source = await drop.start(options, { latencyMs: 3_000 });
      await drop.pause(2_000);
      replace(drop, 'one', mail('other'));
      await drop.pause(20_000);
      expect(drop.topics.ofKey('one')).toEqual([mail('first'), mail('other')]);
      expect(drop.names).toEqual(after === 'keep' ? ['one'] : []);
      await source.stop();
    }),
  );

  it('while its mail is read, in place and of the same size', () =>
    inDrop(async (drop) => {
      const other = mail('other', 'b'.repeat(200_000));
      drop.write('/drop/one', mail('first', 'a'.repeat(200_000)));
      await drop.pause(100);
      const agent = readInPieces(drop.sim.process('agent'), () => drop.write('/drop/one', other));
      const source = await start(agent, drop.topics, { after: 'delete' });
      await drop.pause(20_000);
      expect(drop.topics.ofKey('one')).toEqual([other]);
      expect(drop.names).toEqual([]);
      await source.stop();
    }));

  it.each(['delete', 'move'])('at the last moment before it is taken away (%s)', (after) =>
    inDrop(async (drop) => {
      const options = { after, ...(after === 'move' && { move_to: '/done' }) };
      const system = intruded(drop.sim.process('agent'), '/drop/one', () =>
        replace(drop, 'one', mail('other')),
      );
      drop.write('/drop/one', mail('first'));
      const source = await start(system, drop.topics, options);
      await drop.pause(20_000);
      expect(drop.topics.ofKey('one')).toEqual([mail('first'), mail('other')]);
      await source.stop();
      if (after === 'move') expect(drop.disk.listSync('/done')).toEqual(['one']);
    }),
  );

  it('and once more while the wrong one is put back: neither is overwritten', () =>
    inDrop(async (drop) => {
      const agent = drop.sim.process('agent');
      const { disk } = agent;
      let isDone = false;
      const rename: typeof disk.rename = async (from, to) => {
        const isTaken = !isDone && from === '/drop/one';
        if (isTaken) replace(drop, 'one', mail('second'));
        await disk.rename(from, to);
        if (isTaken) replace(drop, 'one', mail('third'));
        isDone ||= isTaken;
      };
      const system = Object.create(agent, { disk: { value: { ...disk, rename } } }) as SimProcess;
      drop.write('/drop/one', mail('first'));
      const source = await start(system, drop.topics, { after: 'delete' });
      await drop.pause(30_000);
      expect(drop.topics.records.map(({ value }) => value).sort()).toEqual(
        [mail('first'), mail('second'), mail('third')].sort(),
      );
      expect(drop.names).toEqual([]);
      await source.stop();
    }));

  it('is not sent twice where it could not be taken away for a while', () =>
    inDrop(async (drop) => {
      const agent = drop.sim.process('agent');
      const mend = drop.sim
        .volume()
        .inject(({ process, call }) =>
          process === 'agent' && call === 'remove' ? 'EIO' : undefined,
        );
      drop.write('/drop/one', mail('first'));
      const source = await drop.start({ after: 'delete' });
      await drop.pause(5_000);
      expect(agent.problems.list()).toMatchObject([
        { text: expect.stringMatching(/mails of \/drop were sent, but cannot be taken away/) },
      ]);
      mend();
      await drop.pause(60_000);
      expect(agent.problems.list()).toEqual([]);
      expect(drop.names).toEqual([]);
      expect(drop.topics.ofKey('one')).toEqual([mail('first')]);
      await source.stop();
    }));
});

describe('names', () => {
  it('that are not UTF-8 are sent and taken away; the key has their bytes', () =>
    inDrop(async (drop) => {
      const name = pathFromBytes(Buffer.from('caf\xe9', 'latin1'));
      drop.write(`/drop/${name}`, mail('one'));
      const source = await drop.start({ after: 'move', move_to: '/done' });
      await source.drain();
      await source.stop();
      expect(drop.topics.keyBytes).toEqual([Buffer.from('caf\xe9', 'latin1')]);
      expect(drop.disk.listSync('/done')).toEqual([name]);
    }));

  it('of 255 bytes can be moved aside, twice', () =>
    inDrop(async (drop) => {
      const name = 'x'.repeat(255);
      const source = await drop.start({ max_mail_bytes: 10 });
      for (const text of ['first', 'second']) {
        drop.write(`/drop/${name}`, mail(text));
        await drop.pause(5_000);
      }
      expect(drop.names).toEqual(['failed']);
      expect(drop.disk.listSync('/drop/failed')).toHaveLength(4);
      for (const one of drop.disk.listSync('/drop/failed')) {
        expect(Buffer.byteLength(one)).toBeLessThanOrEqual(255);
      }
      await source.stop();
    }));
});

describe('the directories of a maildrop', () => {
  it('may be missing: that is said, and it is awaited, not created', () =>
    inDrop(async (drop) => {
      const agent = drop.sim.process('agent');
      const source = await drop.start({ directory: '/later' });
      await drop.pause(10);
      const [problem] = agent.problems.list();
      expect(problem?.text).toMatch(/the mail directory \/later of source post is missing/);
      expect(drop.disk.statSync('/later')).toBeUndefined();
      drop.disk.makeDirectorySync('/later');
      drop.write('/later/one', mail('one'));
      await drop.pause(5_000);
      expect(drop.topics.keys).toEqual(['one']);
      expect(agent.problems.list()).toEqual([]);
      await source.stop();
    }));

  it('keep what was sent in mind while they are away', () =>
    inDrop(async (drop) => {
      drop.write('/drop/one', mail('one'));
      const source = await drop.start({ after: 'keep' });
      await drop.pause(5_000);
      drop.disk.renameSync('/drop', '/away');
      await drop.pause(5_000);
      drop.disk.renameSync('/away', '/drop');
      await drop.pause(5_000);
      expect(drop.topics.records).toHaveLength(1);
      await source.stop();
    }));

  it('are not moved to themselves', () =>
    inDrop(async (drop) => {
      const options = { directory: '/drop/', topic: 't', after: 'move' };
      const parsed = maildropOptions.safeParse({ ...options, move_to: '/drop/./x/..' });
      expect(parsed.error?.issues[0]?.message).toMatch(/again and again/);
      drop.sim.volume().symlink('/drop', '/link');
      for (const moveTo of ['/link', '/drop/failed', '/spool/../link']) {
        await expect(drop.start({ after: 'move', move_to: moveTo })).rejects.toThrow(MaildropError);
      }
      const source = await drop.start({ after: 'move', move_to: '/link/done' });
      drop.write('/drop/one', mail('one'));
      await drop.pause(10_000);
      expect(drop.topics.records).toHaveLength(1);
      await source.stop();
    }));
});
