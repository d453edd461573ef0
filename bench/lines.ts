import { closeSync, existsSync, openSync, statSync, writeSync } from 'node:fs';

const templates = [
  (n: number, r: number) =>
    `[${stamp(n)}] [notice] workerEnv.init() ok /etc/httpd/conf/workers2.properties child ${r % 9000} scoreboard slot ${r % 40} pid ${r}`,
  (n: number, r: number) =>
    `[${stamp(n)}] [error] [client 10.${r % 256}.${n % 256}.${(r >> 8) % 256}] Directory index forbidden by rule: /var/www/html/`,
  (n: number, r: number) =>
    `${stamp(n)} combo sshd(pam_unix)[${r % 32768}]: authentication failure; logname= uid=0 euid=0 tty=NODEVssh ruser= rhost=218.188.${r % 256}.${n % 256}`,
  (n: number, r: number) =>
    `17/06/09 20:${two(n % 60)}:${two(r % 60)} INFO executor.Executor: Finished task ${r % 100}.0 in stage ${n % 900}.0 (TID ${n}). ${r % 5000} bytes result sent to driver`,
  (n: number, r: number) =>
    `2015-10-18 18:0${n % 10}:${two(r % 60)},${100 + (r % 900)} INFO [main] org.apache.hadoop.mapreduce.v2.app.MRAppMaster: Executing with tokens: attempt_${n}`,
  (n: number, r: number) =>
    `- ${1_117_838_570 + n} 2005.06.03 R02-M1-N0-C:J12-U${two(r % 60)} RAS KERNEL INFO instruction cache parity error corrected ${r}`,
];

const two = (value: number): string => String(value).padStart(2, '0');
const stamp = (n: number): string =>
  `Sun Dec 04 04:${two(Math.floor(n / 60) % 60)}:${two(n % 60)} 2005`;

/** Writes `count` lines with the shape of real logs, the same at every run; returns the bytes. */
export function writeLines(path: string, count: number): number {
  if (existsSync(path)) return statSync(path).size;
  const file = openSync(path, 'w');
  let chunk: string[] = [];
  let random = 12_345;
  let bytes = 0;
  for (let n = 0; n < count; n++) {
    random = (Math.imul(random, 1_103_515_245) + 12_345) & 0x7fffffff;
    const template = templates[random % templates.length];
    if (template !== undefined) chunk.push(template(n, random >> 3));
    if (chunk.length === 20_000 || n === count - 1) {
      bytes += writeSync(file, `${chunk.join('\n')}\n`);
      chunk = [];
    }
  }
  closeSync(file);
  return bytes;
}
