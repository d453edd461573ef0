import type { Address } from 'postal-mime';
import type { Header } from '../../../protocol/records/index.js';

/** Headers longer than this are no mail's. */
const maxHeaderBytes = 256 * 1024;

/**
 * The headers of a mail that become headers of its record, decoded (RFC 2047); none where this is
 * no mail. Only the mail's head is parsed, whatever is attached.
 */
export async function mailHeaders(mail: Buffer): Promise<Header[]> {
  // Loaded with the first mail: an agent that only reads files never needs it.
  const { default: PostalMime } = await import('postal-mime');
  try {
    const email = await PostalMime.parse(headOf(mail));
    const found: Readonly<Record<string, string | undefined>> = {
      'message-id': email.messageId,
      from: email.from && formatAddress(email.from),
      to: email.to?.map(formatAddress).join(', '),
      subject: email.subject,
      date: email.date,
    };
    return Object.entries(found).flatMap(([name, value]): Header[] =>
      value ? [[name, Buffer.from(value)]] : [],
    );
  } catch {
    // It is delivered all the same, as it is.
    return [];
  }
}

function headOf(mail: Buffer): Buffer {
  const ends = ['\r\n\r\n', '\n\n'].map((end) => mail.indexOf(end)).filter((at) => at >= 0);
  const end = Math.min(mail.length, maxHeaderBytes, ...ends);
  return mail.subarray(0, end);
}

function formatAddress(address: Address): string {
  if (address.group) return `${address.name}: ${address.group.map(formatAddress).join(', ')};`;
  return address.name ? `${address.name} <${address.address}>` : (address.address ?? '');
}
