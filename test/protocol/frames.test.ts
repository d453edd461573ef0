import { describe, expect, it } from 'vitest';
import {
  ApiVersions,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  Fetch,
  FrameSplitter,
  LONG_MAX,
  Metadata,
  Produce,
  ProtocolError,
  ZERO_UUID,
} from '../../protocol/index.js';

const records = Buffer.alloc(5000, 7);

describe('requests', () => {
  it.each([3, 8, 9, 12])('Produce v%i comes back as it was written', (version) => {
    const frame = Buffer.concat(
      encodeRequest(Produce, version, 42, 'someone', {
        acks: -1,
        timeoutMs: 1000,
        topicData: [{ name: 'logs', partitionData: [{ index: 3, records }] }],
      }),
    );
    expect(frame.readInt32BE(0)).toBe(frame.length - 4);
    const body = frame.subarray(4);
    const header = decodeRequestHeader(body);
    expect(header).toMatchObject({
      apiKey: 0,
      apiVersion: version,
      correlationId: 42,
      clientId: 'someone',
    });
    const request = Produce.request.read(body, header.bodyOffset, version);
    expect(request).toEqual({
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ name: 'logs', topicId: ZERO_UUID, partitionData: [{ index: 3, records }] }],
    });
    // No copy: the records are a slice of the frame.
    expect(request.topicData[0]?.partitionData[0]?.records?.buffer).toBe(frame.buffer);
  });

  it('reads the fixed header of an API and of a version it does not know', () => {
    const frame = Buffer.concat(encodeRequest(ApiVersions, 0, 7, 'x', {})).subarray(4);
    frame.writeInt16BE(99, 2);
    expect(decodeRequestHeader(frame)).toMatchObject({ apiVersion: 99, correlationId: 7 });
    frame.writeInt16BE(999, 0);
    expect(decodeRequestHeader(frame)).toMatchObject({ apiKey: 999, clientId: 'x' });
  });
});

describe('responses', () => {
  it('carry large records as the very slice that was handed in', () => {
    const slices = encodeResponse(Fetch, 16, 1, {
      responses: [
        {
          topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
          partitions: [
            {
              partitionIndex: 0,
              errorCode: 0,
              highWatermark: 9,
              abortedTransactions: null,
              records,
            },
          ],
        },
      ],
      nodeEndpoints: [{ nodeId: 1, host: 'h', port: 2 }],
    });
    expect(slices).toHaveLength(3);
    expect(slices[1]).toBe(records);
    const { body } = decodeResponse(Fetch, 16, Buffer.concat(slices).subarray(4));
    expect(body.responses[0]?.partitions[0]?.records).toEqual(records);
    expect(body.nodeEndpoints).toEqual([{ nodeId: 1, host: 'h', port: 2, rack: null }]);
  });

  it('of ApiVersions have header version 0 even where the body is flexible', () => {
    const frame = Buffer.concat(
      encodeResponse(ApiVersions, 3, 5, { errorCode: 0, apiKeys: [] }),
    ).subarray(4);
    expect(frame.toString('hex')).toBe('00000005' + '0000' + '01' + '00000000' + '00');
  });

  it('of other flexible versions have header version 1', () => {
    const frame = Buffer.concat(
      encodeResponse(Metadata, 9, 5, { brokers: [], topics: [] }),
    ).subarray(4);
    expect(frame.subarray(0, 5).toString('hex')).toBe('0000000500');
  });
});

describe('a value that does not fit', () => {
  const request = (fetchOffset: number) =>
    Fetch.request.write(
      {
        maxWaitMs: 1,
        minBytes: 1,
        topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1 }] }],
      },
      12,
    );

  it('is an error, and the next message is unharmed', () => {
    expect(() => request(2 ** 64)).toThrow(ProtocolError);
    expect(() => request(1.5)).toThrow(ProtocolError);
    expect(Fetch.request.read(Buffer.concat(request(12)), 0, 12).topics[0]?.topic).toBe('t');
  });

  it.each([
    [2n ** 63n - 1n, LONG_MAX],
    [-(2n ** 63n), -LONG_MAX],
    [2n ** 53n, 2 ** 53],
    [-(2n ** 53n), -(2 ** 53)],
    [1_790_000_000_123_456_789n, Number(1_790_000_000_123_456_789n)],
  ])('an int64 beyond 2^53 is read as the nearest number: %s', (int64, number) => {
    const bytes = Buffer.concat(request(1));
    const at = bytes.indexOf(Buffer.from('0000000000000001', 'hex'));
    bytes.writeBigInt64BE(int64, at);
    const read = Fetch.request.read(bytes, 0, 12);
    expect(read.topics[0]?.partitions[0]?.fetchOffset).toBe(number);
    const written = Buffer.concat(request(number));
    expect(BigInt.asIntN(64, written.readBigInt64BE(at) - int64)).toBeLessThanOrEqual(512n);
    expect(Fetch.request.read(written, 0, 12)).toEqual(read);
  });

  it.each([2 ** 63 + 2048, -(2 ** 64), 0.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'what is no int64 is not written: %s',
    (value) => {
      expect(() => request(value)).toThrow(/is no int64/);
    },
  );

  it('null where the version allows none', () => {
    expect(() => Metadata.request.write({ topics: null }, 0)).toThrow(/topics must not be null/);
  });
});

describe('FrameSplitter', () => {
  const frames = [
    Buffer.alloc(0),
    Buffer.from('abc'),
    Buffer.alloc(3_000_000, 5),
    Buffer.from('z'),
  ];
  const stream = Buffer.concat(
    frames.flatMap((frame) => {
      const length = Buffer.alloc(4);
      length.writeInt32BE(frame.length);
      return [length, frame];
    }),
  );

  it.each([1 << 20, 65536, 777])('cuts a stream that arrives %i bytes at a time', (step) => {
    const splitter = new FrameSplitter(4_000_000);
    const seen: Buffer[] = [];
    const receive = Buffer.alloc(step);
    for (let at = 0; at < stream.length; at += step) {
      // The receive buffer is used again for each piece: frames must own their memory.
      const size = stream.copy(receive, 0, at, at + step);
      splitter.push(receive.subarray(0, size), (frame) => seen.push(frame));
    }
    expect(seen.map((frame) => frame.length)).toEqual(frames.map((frame) => frame.length));
    expect(seen.every((frame, i) => frame.equals(frames[i] as Buffer))).toBe(true);
  });

  it('takes a length that arrives byte by byte', () => {
    const splitter = new FrameSplitter(10);
    const seen: string[] = [];
    for (const byte of Buffer.from('000000026869', 'hex')) {
      splitter.push(Buffer.of(byte), (frame) => seen.push(frame.toString()));
    }
    expect(seen).toEqual(['hi']);
  });

  it('refuses a frame that is too large or has a negative length, before its bytes come', () => {
    const push = (hex: string) => () =>
      new FrameSplitter(10).push(Buffer.from(hex, 'hex'), () => {});
    expect(push('0000000b')).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }));
    expect(push('ffffffff')).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });
});
