// Ten minutes at the front door: whether its memory grows. `--records N` asks for fewer minutes.
import { setTimeout as pause } from 'node:timers/promises';
import { gateway, freshTopics, signedUrl } from './gateway/doors.mts';
import { load } from './gateway/load.mts';
import type { Server } from './support/server.mts';
import type { Figure } from '../scripts/bench/main.mts';
import { median } from '../scripts/bench/rounds.mts';
import { freePort } from '../scripts/infra/free-port.mts';

const MINUTES = 10;
const MINUTE_MS = 60_000;
const LOOK_EVERY_MS = 500;
const MIB = 1024 * 1024;
const GROWTH = 1.05;

/** Measures resident memory, the median of each minute, on topics of its own. */
export async function suite(
  infra: { kafkaBrokers: string },
  figure: (f: Figure) => void,
  { records: minutes = MINUTES }: { records?: number } = {},
): Promise<void> {
  const { connection, remove } = await freshTopics(infra.kafkaBrokers);
  const server = await gateway(infra.kafkaBrokers, connection.topicPrefix)(await freePort());
  const residents: number[] = [];
  let requests = 0;
  try {
    for (let minute = 1; minute <= minutes; minute += 1) {
      const over = new AbortController();
      const looked = residentsOf(server, over.signal);
      const done = await load(server.url, signedUrl, 1, MINUTE_MS);
      over.abort();
      if (done.refused > 0) throw new Error(`${String(done.refused)} of ${String(done.requests)} requests failed`);
      requests += done.requests;
      residents.push(median(await looked) / MIB);
    }
  } finally {
    await server.stop();
    await remove();
  }
  const [second = Number.NaN, last = Number.NaN] = [residents[1], residents.at(-1)];
  figure({
    suite: 'gateway-soak',
    name: `resident memory in minute ${String(minutes)}; all: ${residents.map((mib) => mib.toFixed(0)).join(' ')} MiB`,
    value: Math.round(last),
    unit: 'MiB',
    against: `minute 2: ${second.toFixed(0)} MiB; ${String(Math.round(requests / minutes / 60))} requests/s`,
    ratio: Number((last / second).toFixed(3)),
    target: `<= ${String(GROWTH)}`,
    ok: last / second <= GROWTH,
  });
}

async function residentsOf(server: Server, over: AbortSignal): Promise<number[]> {
  const seen: number[] = [];
  while (!over.aborted) {
    seen.push(server.usage().residentBytes);
    await pause(LOOK_EVERY_MS, undefined, { signal: over }).catch(() => undefined);
  }
  return seen;
}
