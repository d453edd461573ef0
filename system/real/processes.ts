import { fork, type ChildProcess as NodeChild } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { ChildProcess, Processes, StopSignal } from '../processes.js';
import { load } from './modules.js';

/** This process and its children. */
export function createProcesses(): Processes {
  return {
    pid: process.pid,
    fork: forkChild,
    parent: parentChannel(),
    onSignal,
    identity,
    namespace,
    fileLimit,
    hostname,
    load,
  };
}

function forkChild(
  script: string,
  args: readonly string[],
  env?: Readonly<Record<string, string>>,
): ChildProcess {
  // A group of its own: Ctrl-C reaches the parent alone, which then drains the roles in order.
  const child = fork(script, args, { detached: true, env: { ...process.env, ...env } });
  if (child.pid === undefined) throw new Error(`cannot start ${script}`);
  return {
    pid: child.pid,
    send: (message) => sendTo(child, message),
    onMessage: (callback) => {
      child.on('message', callback);
    },
    onExit: (callback) => {
      child.once('exit', (code, signal) => callback({ code, signal }));
    },
    kill: (signal) => {
      child.kill(signal);
    },
  };
}

// A message to a process that has just died is lost either way; its exit event says so.
const ignoreFailure = () => {};

function sendTo(target: NodeChild | NodeJS.Process, message: unknown): void {
  if (target.connected) target.send?.(message as object, undefined, undefined, ignoreFailure);
}

function parentChannel(): Processes['parent'] {
  if (process.send === undefined) return undefined;
  return {
    send: (message) => sendTo(process, message),
    onMessage: (callback) => {
      process.on('message', callback);
    },
    onDisconnect: (callback) => {
      if (process.connected) process.once('disconnect', callback);
      else queueMicrotask(callback);
    },
  };
}

const stopSignals: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

function onSignal(callback: (signal: StopSignal) => void): () => void {
  for (const signal of stopSignals) process.on(signal, callback);
  return () => {
    for (const signal of stopSignals) process.off(signal, callback);
  };
}

function namespace(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return undefined;
  }
}

function fileLimit(): number | undefined {
  try {
    const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
    return limit?.[1] === undefined ? undefined : Number(limit[1]);
  } catch {
    return undefined;
  }
}

function identity(pid: number): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command's name, in brackets, may hold spaces and brackets: count from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const startTime = fields[startTimeField];
    return startTime === undefined ? undefined : `${boot}:${startTime}`;
  } catch {
    return undefined;
  }
}

/** proc(5) numbers starttime 22; two fields stand before the part that is split. */
const startTimeField = 22 - 3;
