import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

// The thread of HangWatch. It counts looks instead of time: a process that was stopped or slept for an hour has not hung.
const LOOKS = 10;

const { service, limitMs, beats } = workerData as { service: string; limitMs: number; beats: Int32Array };
let last = 0;
let same = 0;

setInterval(() => {
  const beat = Atomics.load(beats, 0);
  same = beat === last && beat % 2 !== 0 ? same + 1 : 0;
  last = beat;
  if (same < LOOKS) return;
  const msg = `a decision took longer than ${String(limitMs)} ms: this process ends itself`;
  writeSync(2, `${JSON.stringify({ level: 'fatal', time: new Date().toISOString(), service, msg })}\n`);
  process.kill(process.pid, 'SIGKILL');
}, limitMs / LOOKS);
