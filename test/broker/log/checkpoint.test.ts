import { expect, it } from 'vitest';
import {
  decodeEpochs,
  decodePartitionOffsets,
  encodeEpochs,
  encodePartitionOffsets,
} from '../../../broker/log/checkpoint.js';

it('writes checkpoints as Kafka does', () => {
  const offsets = [
    { topic: 'app-logs', partition: 0, offset: 42 },
    { topic: 'mail', partition: 11, offset: 7 },
  ];
  const content = encodePartitionOffsets(offsets);
  expect(content).toBe('0\n2\napp-logs 0 42\nmail 11 7\n');
  expect(decodePartitionOffsets(content)).toEqual(offsets);
  const epochs = [
    { epoch: 0, startOffset: 0 },
    { epoch: 3, startOffset: 12 },
  ];
  expect(encodeEpochs(epochs)).toBe('0\n2\n0 0\n3 12\n');
  expect(decodeEpochs('0\n2\n0 0\n3 12\n')).toEqual(epochs);
  expect(decodePartitionOffsets('0\n0\n')).toEqual([]);
});

it.each(['', '1\n0\n', '0\n2\na 0 1\n', '0\n1\na 0\n', '0\n1\na x 1\n', '0\nx\n'])(
  'refuses a damaged one: %j',
  (content) => {
    const damaged = () => decodePartitionOffsets(content);
    expect(damaged).toThrow(expect.objectContaining({ code: 'INVALID_LOG_DIRECTORY' }));
  },
);
