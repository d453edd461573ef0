import { byTopic, type TopicPartition } from '../../topic-partition.js';

/** What a member tells the sticky assignor about itself. */
interface StickyData {
  readonly previous: readonly TopicPartition[];
  readonly generation: number;
}

const nothing: StickyData = { previous: [], generation: -1 };

/**
 * The user data of Java's StickyAssignor, version 1: an array of (topic, array of partitions),
 * then the generation. It is not one of the protocol's messages.
 */
export function encodeStickyData(previous: readonly TopicPartition[], generation: number): Buffer {
  const topics = byTopic(previous);
  const parts: Buffer[] = [int32(topics.size)];
  for (const [topic, partitions] of topics) {
    const name = Buffer.from(topic);
    const length = Buffer.alloc(2);
    length.writeInt16BE(name.length);
    parts.push(length, name, int32(partitions.length));
    for (const { partition } of partitions) parts.push(int32(partition));
  }
  parts.push(int32(generation));
  return Buffer.concat(parts);
}

/** Data that cannot be read counts as none: the member then just keeps nothing. */
export function decodeStickyData(data: Buffer | null): StickyData {
  if (data === null) return nothing;
  try {
    return decode(data);
  } catch {
    return nothing;
  }
}

function decode(data: Buffer): StickyData {
  let at = 0;
  const readInt32 = () => {
    at += 4;
    return data.readInt32BE(at - 4);
  };
  const previous: TopicPartition[] = [];
  for (let topics = readInt32(); topics > 0; topics--) {
    const nameStart = at + 2;
    const nameEnd = nameStart + data.readInt16BE(at);
    const topic = data.toString('utf8', nameStart, nameEnd);
    at = nameEnd;
    for (let count = readInt32(); count > 0; count--) {
      previous.push({ topic, partition: readInt32() });
    }
  }
  // Version 0 ends here, without a generation.
  const generation = at < data.length ? readInt32() : -1;
  return { previous, generation };
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
