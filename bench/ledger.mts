// Whether claims keep their pace while the ledger fills: 200,000 owed effects beside a million done ones, claimed by two
// processes of 100 at a time; and how much of a limit two replicas make use of.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { Figure } from '../scripts/bench/main.mts';
import { type ClaimedEffect, Ledger, openPool } from '#libs/event-store';
import { freshDatabase } from './support/database.mts';

const OWED = 200_000;
const DONE = 1_000_000;
const PAGE = 100;
const policy = { kind: 'bench.call', deadlineMs: 60_000, maxRepeats: 0 };
const done = { state: 'done', answer: null } as const;

if (process.argv[2] === 'claim') await claimAll(process.argv[3] ?? '');

/** One runner: claims pages until nothing is owed, and tells when each was claimed. */
async function claimAll(url: string): Promise<void> {
  const pool = openPool(url, 'bench', 4);
  const ledger = new Ledger(pool, 'bench', [policy]);
  const times: number[] = [];
  process.send?.('ready');
  await once(process, 'message');
  for (;;) {
    const page = await ledger.claim(`runner-${process.pid}`, PAGE);
    if (page.length === 0) break;
    times.push(...page.map(() => Date.now()));
  }
  await new Promise((resolve) => process.send?.(times, resolve));
  process.disconnect();
  await pool.end();
}

/** Measures claims at both ends of a long queue, then the use of a limit. */
export async function suite(infra: { databaseUrl: string }, figure: (f: Figure) => void): Promise<void> {
  const { url, drop } = await freshDatabase(infra.databaseUrl);
  try {
    await fill(url);
    const runners = [1, 2].map(() => fork(fileURLToPath(import.meta.url), ['claim', url]));
    await Promise.all(runners.map((runner) => once(runner, 'message')));
    const answers = runners.map((runner) => once(runner, 'message'));
    for (const runner of runners) runner.send('go');
    const times = (await Promise.all(answers)).flatMap(([t]) => t as number[]).sort((a, b) => a - b);
    const took = (from: number, to: number) => (times[to - 1] ?? 0) - (times[from] ?? 0);
    const [first, last] = [took(0, 10_000), took(times.length - 10_000, times.length)];
    const ratio = last / first;
    figure({
      suite: 'ledger',
      name: 'last 10,000 claims',
      value: last,
      unit: 'ms',
      against: `first 10,000 of ${times.length} claims: ${first} ms; all: ${Math.round(times.length / (took(0, times.length) / 1000))}/s`,
      ratio: Number(ratio.toFixed(3)),
      target: '<= 1.3',
      ok: ratio <= 1.3 && times.length === OWED,
    });
    figure(await useOfLimit(url));
  } finally {
    await drop();
  }
}

const MOST = 190;
const PER_MS = 10_000;
const LATENCY_MS = 150;

// Two replicas, 190 calls in any 10 s, each answered after 150 ms: what the vendor saw, against what it allows.
async function useOfLimit(url: string): Promise<Figure> {
  const limits = [{ name: 'ten-secondly', most: MOST, perMs: PER_MS }];
  const pool = openPool(url, 'bench', 8);
  await pool.query('truncate effect, gate, gate_flow, permit');
  await owe(pool, 2_000, 'owed');
  const seen: number[] = [];
  const begun = Date.now();
  const until = begun + 5 * PER_MS;
  const flying = new Set<Promise<unknown>>();
  const replica = async () => {
    const ledger = new Ledger(pool, 'bench', [{ ...policy, limits }]);
    const perform = async (effect: ClaimedEffect) => {
      seen.push(Date.now());
      await pause(LATENCY_MS);
      await ledger.settle(effect, done);
    };
    while (Date.now() < until) {
      for (const effect of await ledger.claim('bench', 50)) {
        const call = perform(effect).finally(() => flying.delete(call));
        flying.add(call);
      }
      await pause(100);
    }
  };
  await Promise.all([replica(), replica()]);
  await Promise.all(flying);
  await pool.end();
  const busiest = Math.max(...seen.map((at) => seen.filter((t) => t >= at && t < at + PER_MS).length));
  // The time from each call to the 190th after it: the window that the limit is really used at.
  const spans = seen.slice(MOST).map((at, i) => at - (seen[i] ?? 0));
  const sustained = (MOST * PER_MS * spans.length) / spans.reduce((sum, span) => sum + span, 0);
  return {
    suite: 'ledger',
    name: 'use of a limit of 190 in 10 s',
    value: Math.round(sustained),
    unit: 'calls per 10 s',
    against: `the limit; busiest window ${busiest}, calls of ${LATENCY_MS} ms`,
    ratio: Number((sustained / MOST).toFixed(3)),
    target: '>= 0.95',
    ok: sustained / MOST >= 0.95 && busiest <= MOST,
  };
}

async function fill(url: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  await owe(pool, DONE, 'done');
  await owe(pool, OWED, 'owed');
  await pool.query('vacuum analyze effect');
  await pool.end();
}

const owe = (pool: pg.Pool, n: number, state: string) =>
  pool.query(
    `insert into effect (service, slot, generation, tenant, subject, stream_id, kind, purpose, root_cause, request,
       request_hash, meta, state)
     select 'bench', 'default|bench.call|' || gen_random_uuid(), 1, 'default', 'contact:' || i, 'bench-' || i,
       'bench.call', 'call', 'cause', '{"word":"some request of a usual length, give or take"}', md5(i::text),
       '{"rootCause":"cause","causedBy":"cause"}', $2
     from generate_series(1, $1::int) i`,
    [n, state],
  );
