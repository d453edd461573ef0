import { expect, it } from 'vitest';
import {
  defaultCoordinatorSettings,
  GroupCoordinator,
  type OffsetsLog,
} from '../../../broker/group/index.js';
import { defaultLogSettings, Log, type LogSettings } from '../../../broker/log/index.js';
import { ErrorCode, ZERO_UUID } from '../../../protocol/index.js';
import { type CrashKind, crashAtEveryStep, type SimProcess } from '../../../system/sim/index.js';
import { classicApis } from './classic-apis.js';

const groupId = 'g';
/** A few records a segment, so that crashes fall on rolls, too. */
const settings: LogSettings = { ...defaultLogSettings, segmentBytes: 1_000, segmentIndexBytes: 64 };

/** One partition of `__consumer_offsets` in a log on the simulated disk. */
async function openLog(process: SimProcess, flushMessages: number): Promise<OffsetsLog> {
  const { disk } = process;
  // As the broker does when it creates a partition.
  disk.makeDirectorySync('/data/log');
  for (const path of ['/', '/data']) disk.syncDirectorySync(path);
  const log = await Log.open(process, '/data/log', { ...settings, flushMessages });
  return {
    partitionCount: 1,
    partitions: () => [0],
    append: async (_, batch) => {
      const { lastOffset } = log.append(batch, { leaderEpoch: 0 });
      if (flushMessages === 1) await log.flushed(lastOffset + 1);
    },
    async *read() {
      for (let offset = 0; offset < log.endOffset; ) {
        const options = { maxOffset: log.endOffset, minOneBatch: true };
        const chunk = await log.read(offset, 1, options);
        yield chunk;
        offset += chunk.readInt32BE(23) + 1;
      }
    },
  };
}

async function start(process: SimProcess, flushMessages: number): Promise<GroupCoordinator> {
  const log = await openLog(process, flushMessages);
  const coordinator = new GroupCoordinator(process, log, defaultCoordinatorSettings);
  await coordinator.load();
  return coordinator;
}

/** What the member was told. */
interface Told {
  memberId: string;
  generation: number;
  offset: number;
}

/** A static member joins, commits, and is restarted, over and over. */
async function live(process: SimProcess, flushMessages: number, told: Told): Promise<void> {
  const coordinator = await start(process, flushMessages);
  for (let life = 0; life < 4; life++) {
    const joined = await classicApis(coordinator).join(groupId, {
      memberId: '',
      groupInstanceId: 'one',
      clientId: 'app',
      clientHost: '/h',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from('logs') }],
      requiresKnownMemberId: true,
      knowsSkipAssignment: true,
    });
    if (!process.alive) return;
    const { memberId, generation } = joined;
    const claim = { memberId, generation, groupInstanceId: 'one' };
    const assignments = new Map([[memberId, Buffer.from('all')]]);
    const protocol = { protocolType: null, protocol: null };
    const synced = await classicApis(coordinator).sync(groupId, {
      ...claim,
      ...protocol,
      assignments,
    });
    if (!process.alive) return;
    expect([joined.errorCode, synced.errorCode]).toEqual([ErrorCode.NONE, ErrorCode.NONE]);
    Object.assign(told, { memberId, generation });
    for (let commit = 0; commit < 3; commit++) {
      const offset = told.offset + 1;
      const value = {
        ...{ offset, leaderEpoch: 0, metadata: '', commitTimestamp: process.clock.now() },
        ...{ expireTimestamp: -1, topicId: ZERO_UUID },
      };
      const entries = [{ topic: 'logs', partition: 0, value }];
      const errorCode = await coordinator.commit(groupId, claim, entries);
      if (!process.alive) return;
      expect(errorCode).toBe(ErrorCode.NONE);
      told.offset = offset;
    }
  }
}

async function check(process: SimProcess, told: Told): Promise<void> {
  const coordinator = await start(process, 1);
  const { errorCode, offsets } = coordinator.committed(groupId);
  expect(errorCode).toBe(ErrorCode.NONE);
  // One more may have been stored without the member hearing of it.
  const { offset } = offsets?.get('logs', 0) ?? { offset: 0 };
  expect([told.offset, told.offset + 1]).toContain(offset);
  if (told.generation === 0) return;
  const { memberId, generation } = told;
  const state = classicApis(coordinator).state(groupId);
  expect(state).toMatchObject({ phase: 'Stable', generation });
  const [member] = [...(state?.members.values() ?? [])];
  expect(member?.assignment.toString()).toBe('all');
  const beat = await classicApis(coordinator).heartbeat(groupId, {
    memberId,
    generation,
    groupInstanceId: 'one',
  });
  // Fenced where its successor's id was stored before the crash, and its answer lost.
  expect(beat).toBe(member?.memberId === memberId ? ErrorCode.NONE : ErrorCode.FENCED_INSTANCE_ID);
}

it.each<{ kinds: CrashKind[]; flushMessages: number }>([
  { kinds: ['kill', 'torn'], flushMessages: Number.POSITIVE_INFINITY },
  { kinds: ['powerLoss'], flushMessages: 1 },
])('what a member was told survives $kinds at any step', async ({ kinds, flushMessages }) => {
  let told: Told;
  const crashes = await crashAtEveryStep({
    seed: 11,
    kinds,
    work: (process) => {
      told = { memberId: '', generation: 0, offset: 0 };
      return live(process, flushMessages, told);
    },
    check: (sim) => check(sim.process('next'), told),
  });
  expect(crashes).toBeGreaterThan(40);
});
