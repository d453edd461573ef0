import { expect, it } from 'vitest';
import { ErrorCode, OffsetCommit } from '../../protocol/index.js';
import { inWorld } from './world.js';

it('is created once though many groups ask for it first', () =>
  inWorld({}, async ({ connect }) => {
    const groups = ['a', 'b', 'c', 'd'];
    const answers = await Promise.all(
      groups.map(async (groupId) => {
        const client = await connect();
        const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }];
        const body = {
          groupId,
          generationIdOrMemberEpoch: -1,
          memberId: '',
          topics: [{ name: 'logs', partitions }],
        };
        return client.ask(OffsetCommit, body, 9);
      }),
    );
    const codes = answers.map(({ topics }) => topics[0]?.partitions[0]?.errorCode);
    expect(codes).toEqual(groups.map(() => ErrorCode.NONE));
  }));
