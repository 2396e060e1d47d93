import type { KeptDays } from './days';

/** Deletes a batch of rows that are kept no longer: $1 days, $2 rows at most. Rows that someone holds are left for later. */
interface Sweep {
  name: string;
  keptAs: keyof KeptDays;
  text: string;
}

const older = (column: string): string => `${column} < refrain_now() - make_interval(days => $1::int)`;
const ENDED = `('done', 'dead', 'cancelled', 'superseded', 'erased')`;

export const SWEEPS: readonly Sweep[] = [
  {
    // Marks of days without a partition of their own: long past or far ahead when they came.
    name: 'refrain-sweep-marks',
    keptAs: 'inbox',
    text: `delete from inbox_rest where (service, key, day) in (
      select service, key, day from inbox_rest where ${older('received_at')} limit $2 for update skip locked)`,
  },
  {
    name: 'refrain-sweep-undated',
    keptAs: 'inbox',
    text: `delete from inbox_undated where (service, key) in (
      select service, key from inbox_undated where ${older('received')} limit $2 for update skip locked)`,
  },
  {
    // A slot goes as a whole, and not while somebody waits for it, or behind a parked key that may decide it again.
    name: 'refrain-sweep-receipts',
    keptAs: 'receipts',
    text: `delete from effect where (slot, generation) in (
      select e.slot, e.generation from effect e where e.state in ${ENDED} and ${older('e.settled_at')}
        and not exists (select from effect o where o.slot = e.slot
          and (o.state not in ${ENDED} or (${older('o.settled_at')}) is not true))
        and not exists (select from effect w where w.shares = e.slot and w.state not in ${ENDED})
        and not exists (select from parked_key p
          where p.service = e.service and p.input_key = e.tenant || ':' || e.subject)
      order by e.settled_at limit $2 for update skip locked)`,
  },
  {
    // One that no stream is known for is a callback that still waits to be matched.
    name: 'refrain-sweep-correlations',
    keptAs: 'receipts',
    text: `delete from correlation where (service, tenant, vendor, external_id) in (
      select service, tenant, vendor, external_id from correlation
      where stream_id is not null and ${older('noted_at')} limit $2 for update skip locked)`,
  },
  {
    name: 'refrain-sweep-spend',
    keptAs: 'receipts',
    text: `delete from spend where (slot, generation) in (
      select slot, generation from spend where ${older('at')} limit $2 for update skip locked)`,
  },
  {
    // Each has its own end; the days say nothing of it.
    name: 'refrain-sweep-sealed-calls',
    keptAs: 'receipts',
    text: `delete from sealed_call where id in (
      select id from sealed_call where ends < refrain_now() and $1::int > 0 limit $2 for update skip locked)`,
  },
  {
    name: 'refrain-sweep-spend-books',
    keptAs: 'receipts',
    text: `delete from spend_book where key in (
      select key from spend_book where ${older('ends')} limit $2 for update skip locked)`,
  },
  {
    name: 'refrain-sweep-replays',
    keptAs: 'receipts',
    text: `delete from replay_item where (replay_id, seq) in (
      select i.replay_id, i.seq from replay r join replay_item i on i.replay_id = r.id
      where ${older('r.ended_at')} limit $2 for update of i skip locked)`,
  },
];
