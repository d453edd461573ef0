import type { Random } from '../../system/index.js';

const METHODS = ['GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE'];
const PATHS = ['/orders', '/orders/8812', '/cart', '/search?q=caf%C3%A9', '/login', '/health'];
const WORKERS = ['worker-1', 'worker-2', 'scheduler', 'mailer'];
const EVENTS = [
  'INFO  order accepted',
  'INFO  payment settled',
  'WARN  slow query on table "orders"',
  'ERROR connection reset by peer, retrying',
  'DEBUG cache miss for key user:4711',
  'INFO  Grüße aus Zürich – 你好',
];

/** Picks one of several. */
function pick(random: Random, words: readonly string[]): string {
  return words[Math.floor(random.float() * words.length)] ?? '';
}

/**
 * A line as applications write them, without its end. `id` makes it differ from every other line
 * of its file.
 */
export function logLine(logName: string, id: number, nowMs: number, random: Random): string {
  const time = new Date(nowMs).toISOString();
  const tag = id.toString(36).padStart(8, '0');
  const took = Math.floor(random.float() ** 4 * 900) + 1;
  switch (logName) {
    case 'web.log': {
      const status = pick(random, ['200', '200', '200', '304', '404', '500']);
      const from = `10.0.${took % 256}.${id % 256}`;
      const request = `${pick(random, METHODS)} ${pick(random, PATHS)} HTTP/1.1`;
      return `${from} - - [${time}] "${request}" ${status} ${took * 37} "req=${tag}"`;
    }
    case 'jobs.log':
      return `{"time":"${time}","job":"${pick(random, WORKERS)}","id":"${tag}","ms":${took}}`;
    default:
      return `${time} [${pick(random, WORKERS)}] ${pick(random, EVENTS)} (${tag}, ${took} ms)`;
  }
}

/** A mail as a mail server would dump it: CRLF, an encoded subject, sometimes an attachment. */
export function mailText(name: string, nowMs: number, random: Random): string {
  const order = Math.floor(random.float() * 1e6);
  const head = [
    `Message-ID: <${name}@shop.example>`,
    `Date: ${new Date(nowMs).toUTCString().replace('GMT', '+0000')}`,
    'From: Shop <orders@shop.example>',
    'To: "Customer, A." <customer@mail.example>',
    'MIME-Version: 1.0',
  ];
  if (order % 3 !== 0) {
    const subject = `Subject: Your order ${order}`;
    return [...head, subject, '', `Thank you for order ${order}.`, ''].join('\r\n');
  }
  const subject = Buffer.from(`Bestätigung № ${order}`).toString('base64');
  const receipt = random.bytes(600).toString('base64').replace(/.{76}/g, '$&\r\n');
  return [
    ...head,
    `Subject: =?utf-8?B?${subject}?=`,
    'Content-Type: multipart/mixed; boundary="cut"',
    '',
    '--cut',
    'Content-Type: text/plain; charset=utf-8',
    '',
    `Danke für Bestellung ${order}.`,
    '--cut',
    'Content-Type: application/octet-stream; name="receipt.bin"',
    'Content-Transfer-Encoding: base64',
    '',
    receipt,
    '--cut--',
    '',
  ].join('\r\n');
}
