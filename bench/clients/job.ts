/** What a client process is told, as JSON in its one argument. */
export interface ClientJob {
  readonly mode: 'produce' | 'consume';
  readonly bootstrap: string;
  readonly topic: string;
  readonly count: number;
  readonly valueBytes: number;
  /** Records handed over in one send. */
  readonly chunk: number;
  readonly acks: 1;
  readonly startedMs: number;
}

/** What it says on its last line. */
export interface ClientResult {
  readonly count: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

let began = 0;
let cpuBefore = process.cpuUsage();

export function readJob(): ClientJob {
  const job: ClientJob = JSON.parse(process.argv[2] ?? '');
  began = performance.now();
  cpuBefore = process.cpuUsage();
  return job;
}

/** The process's own CPU time since the job was read (loading a library is not its throughput). */
export function finish(_job: ClientJob, count: number): never {
  const cpu = process.cpuUsage(cpuBefore);
  const result: ClientResult = {
    count,
    seconds: (performance.now() - began) / 1000,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
  };
  console.log(JSON.stringify(result));
  process.exit(0);
}
