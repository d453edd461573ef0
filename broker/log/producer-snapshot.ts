import { crc32c } from '../../protocol/records/index.js';
import { readInt64, writeInt64 } from './format.js';
import { LogError } from './log-error.js';
import { type ProducerEntry, subtractFromSequence } from './producers.js';

const VERSION = 1;
const CRC_AT = 2;
/** The checksum covers everything from here. */
const COUNT_AT = 6;
const ENTRIES_AT = 10;
const ENTRY_BYTES = 46;
const NO_SEQUENCE = -1;

/** Kafka's ProducerSnapshot, version 1. Only each producer's last batch has a place in it. */
export function encodeSnapshot(entries: Iterable<ProducerEntry>): Buffer {
  const list = [...entries];
  const bytes = Buffer.alloc(ENTRIES_AT + list.length * ENTRY_BYTES);
  bytes.writeInt16BE(VERSION, 0);
  bytes.writeInt32BE(list.length, COUNT_AT);
  let at = ENTRIES_AT;
  for (const entry of list) {
    const last = entry.batches.at(-1);
    writeInt64(bytes, entry.producerId, at);
    bytes.writeInt16BE(entry.epoch, at + 8);
    bytes.writeInt32BE(last?.lastSequence ?? NO_SEQUENCE, at + 10);
    writeInt64(bytes, last?.lastOffset ?? -1, at + 14);
    bytes.writeInt32BE(last?.offsetDelta ?? 0, at + 22);
    writeInt64(bytes, entry.lastTimestamp, at + 26);
    bytes.writeInt32BE(entry.coordinatorEpoch, at + 34);
    writeInt64(bytes, entry.currentTransactionFirstOffset, at + 38);
    at += ENTRY_BYTES;
  }
  bytes.writeUInt32BE(crc32c(bytes, COUNT_AT, bytes.length), CRC_AT);
  return bytes;
}

/**
 * Reads what `encodeSnapshot` or Kafka wrote. `seenMs` is taken as the time the broker last saw
 * each producer. Throws LogError INVALID_LOG_DIRECTORY where the file is damaged.
 */
export function decodeSnapshot(bytes: Buffer, seenMs: number): ProducerEntry[] {
  if (bytes.length < ENTRIES_AT) throw damaged('it is too short');
  const version = bytes.readInt16BE(0);
  if (version !== VERSION) throw damaged(`its version is ${version}, not ${VERSION}`);
  if (bytes.readUInt32BE(CRC_AT) !== crc32c(bytes, COUNT_AT, bytes.length)) {
    throw damaged('its checksum is wrong');
  }
  const count = bytes.readInt32BE(COUNT_AT);
  if (bytes.length !== ENTRIES_AT + count * ENTRY_BYTES) throw damaged('its length is wrong');
  const entries: ProducerEntry[] = [];
  for (let at = ENTRIES_AT; at < bytes.length; at += ENTRY_BYTES) {
    entries.push(readEntry(bytes, at, seenMs));
  }
  return entries;
}

function readEntry(bytes: Buffer, at: number, seenMs: number): ProducerEntry {
  const lastSequence = bytes.readInt32BE(at + 10);
  const offsetDelta = bytes.readInt32BE(at + 22);
  const timestamp = readInt64(bytes, at + 26);
  const last = {
    firstSequence: subtractFromSequence(lastSequence, offsetDelta),
    lastSequence,
    lastOffset: readInt64(bytes, at + 14),
    offsetDelta,
    timestamp,
  };
  return {
    producerId: readInt64(bytes, at),
    epoch: bytes.readInt16BE(at + 8),
    batches: lastSequence === NO_SEQUENCE ? [] : [last],
    lastTimestamp: timestamp,
    seenMs,
    coordinatorEpoch: bytes.readInt32BE(at + 34),
    currentTransactionFirstOffset: readInt64(bytes, at + 38),
  };
}

function damaged(reason: string): LogError {
  return new LogError('INVALID_LOG_DIRECTORY', `the producer snapshot is damaged: ${reason}`);
}
