import { expect, it } from 'vitest';
import { createSimSystem } from '../../system/sim/index.js';
import { FileWorld } from './file-world.js';
import { inDrop, mail } from './mail-world.js';

it('a glob that matches nothing is a problem until something does', async () => {
  const world = new FileWorld(createSimSystem({ seed: 1 }), {
    include: ['/log/*.log', '/nowhere/*.log'],
  });
  const { clock } = world.sim.process('writer');
  await world.sim.run(async () => {
    await world.start();
    const { problems } = world.sim.process('agent');
    expect(problems.list().map(({ text }) => text)).toEqual([
      'nothing matches /log/*.log; files are awaited',
      'nothing matches /nowhere/*.log: there is no directory /nowhere; files are awaited',
    ]);
    world.writer.append('/log/a.log', 'x\n');
    world.writer.append('/nowhere/b.log', 'y\n');
    await clock.sleep(5_000);
    expect(problems.list()).toEqual([]);
    expect(world.topics.records).toHaveLength(2);
    await world.source?.stop();
  });
});

it('files that rotation will compress are not missing before it has', async () => {
  const world = new FileWorld(createSimSystem({ seed: 1 }), {
    include: ['/log/*.log', '/log/*.gz'],
  });
  await world.sim.run(async () => {
    world.writer.append('/log/a.log', 'x\n');
    await world.start();
    expect(world.sim.process('agent').problems.list()).toEqual([]);
    await world.source?.stop();
  });
});

it('a directory that cannot be listed is a problem until it can', async () => {
  const world = new FileWorld();
  const { clock } = world.sim.process('writer');
  await world.sim.run(async () => {
    world.writer.append('/log/a.log', 'x\n');
    const mend = world.sim
      .volume()
      .inject(({ call, path, process }) =>
        process === 'agent' && call === 'read' && path === '/log' ? 'EACCES' : undefined,
      );
    await world.start();
    const { problems } = world.sim.process('agent');
    expect(problems.list().map(({ id }) => id)).toContain('directory /log');
    mend();
    await clock.sleep(3_000);
    expect(problems.list()).toEqual([]);
    await world.source?.stop();
  });
});

it('an agent starts on a full disk, and says what that means', async () => {
  const world = new FileWorld();
  const { clock } = world.sim.process('writer');
  await world.sim.run(async () => {
    world.writer.append('/log/a.log', 'x\n');
    const volume = world.sim.volume();
    volume.capacityBytes = volume.usedBytes;
    await world.start();
    await clock.sleep(3_000);
    expect(world.topics.records).toHaveLength(1);
    const { problems } = world.sim.process('agent');
    expect(problems.list().map(({ id }) => id)).toEqual(['positions']);
    volume.capacityBytes = Number.POSITIVE_INFINITY;
    await clock.sleep(3_000);
    expect(problems.list()).toEqual([]);
    await world.source?.stop();
  });
});

it('what a directory holds that cannot be listed does not count as drained', async () => {
  const world = new FileWorld();
  await world.sim.run(async () => {
    world.writer.append('/log/a.log', 'x\n');
    const isClosed = ({ process, path }: { process: string; path: string }) =>
      process === 'agent' && path === '/log' ? 'EACCES' : undefined;
    const mend = world.sim.volume().inject(isClosed);
    const source = await world.start();
    await source.drain();
    expect(source.unsent()).toEqual(['cannot list /log']);
    mend();
    await source.stop();
  });
  await inDrop(async (drop) => {
    drop.write('/drop/a.eml', mail('a'));
    const isClosed = ({ call, path }: { call: string; path: string }) =>
      call === 'read' && path === '/drop' ? 'EACCES' : undefined;
    const mend = drop.sim.volume().inject(isClosed);
    const source = await drop.start();
    await source.drain();
    expect(source.unsent()).toEqual([expect.stringMatching(/mail directory .drop.*EACCES/)]);
    mend();
    await source.stop();
  });
});

it('a topic that takes no mails is a problem until it does', () =>
  inDrop(async (drop) => {
    let isClosed = true;
    const { problems } = drop.sim.process('agent');
    drop.write('/drop/a.eml', mail('a'));
    const source = await drop.start({ topic: 't' }, { isClosed: () => isClosed });
    await drop.pause(30_000);
    expect(problems.list()).toMatchObject([{ id: 'source post' }]);
    isClosed = false;
    await drop.pause(5_000);
    expect(problems.list()).toEqual([]);
    expect(drop.topics.records).toHaveLength(1);
    await source.stop();
  }));
