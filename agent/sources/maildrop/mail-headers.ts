import type PostalMime from 'postal-mime';
import type { Address } from 'postal-mime';
import type { Header } from '../../../protocol/records/index.js';

/** Headers longer than this are no mail's. */
const maxHeaderBytes = 256 * 1024;

type Parser = Pick<typeof PostalMime, 'parse'>;
let loaded: Parser | undefined;

/**
 * Loads the parser: before the first mail, as an import may find no free descriptor later, and only
 * for who has mails, as an agent that reads files never needs it.
 */
export async function loadParser(): Promise<Parser> {
  loaded ??= (await import('postal-mime')).default;
  return loaded;
}

/**
 * The headers of a mail that become headers of its record, decoded (RFC 2047); none where this is
 * no mail. Only the mail's head is parsed, whatever is attached.
 */
export async function mailHeaders(mail: Buffer): Promise<Header[]> {
  const parser = loaded ?? (await loadParser());
  try {
    const email = await parser.parse(headOf(mail));
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
