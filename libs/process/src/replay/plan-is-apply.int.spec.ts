import fc from 'fast-check';
import { type GreeterCode, GREETER_TOPIC } from '../testing/greeter';
import { Replaying, type Wish } from '../testing/replaying';
import { boundsOf, readRange } from '#libs/log';
import { courseOf, type ItemPlan, performed } from './simulation';

// Records of three contacts, some of which were handled yesterday by other code, and some never; and live traffic about
// the same contacts, while the plan is made and while it is applied. What the plan shows of each record is compared with
// what the store then has of it.

const code = fc.record<GreeterCode>(
  {
    refusesShortNames: fc.boolean(),
    polite: fc.boolean(),
    deaf: fc.boolean(),
    atMost: fc.integer({ min: 2, max: 9 }),
    thorough: fc.boolean(),
  },
  { requiredKeys: [] },
);
const about = fc.constantFrom('contact:1', 'contact:2', 'contact:3');
const who = fc.constantFrom('Ada', 'Bob', 'Charlie', 'Dorothy', 'Eve', 'Bug');
const wish = fc.oneof(
  { weight: 4, arbitrary: fc.record({ about, who }) },
  { weight: 1, arbitrary: who.map((name) => ({ about: `letter:${name}`, letter: `letter to ${name}` })) },
);
const pattern = fc.record({
  yesterday: code,
  today: code,
  handled: fc.array(wish, { minLength: 3, maxLength: 12 }),
  unhandled: fc.array(wish, { maxLength: 5 }),
  whilePlanning: fc.array(wish, { maxLength: 6 }),
  whileApplying: fc.array(wish, { maxLength: 6 }),
  redo: fc.boolean(),
});

type Pattern = typeof pattern extends fc.Arbitrary<infer T> ? T : never;

/** What the store has of a replay, by the record that it goes back to. */
async function doneBy(hub: Replaying, id: string) {
  const events = await hub.db.pool.query<{ cause: string; type: string }>(
    `select meta->>'rootCause' as cause, type from event where meta->>'replayId' = $1 order by position`,
    [id],
  );
  const effects = await hub.db.pool.query<{ cause: string; kind: string; slot: string; request_hash: string }>(
    `select root_cause as cause, kind, slot, request_hash from effect where meta->>'replayId' = $1 order by seq`,
    [id],
  );
  return {
    events: Map.groupBy(events.rows, ({ cause }) => cause),
    effects: Map.groupBy(effects.rows, ({ cause }) => cause),
  };
}

let seen: Record<string, number>;

async function planIsApply(p: Pattern): Promise<void> {
  const hub = await Replaying.create();
  const live: Promise<void>[] = [];
  let n = 0;
  const named = (wishes: object[]) => wishes.map((w) => ({ ...w, id: `wish-${String((n += 1))}` }) as Wish);
  try {
    await hub.publish(...named(p.handled));
    await hub.liveYesterday(p.yesterday);
    await hub.publish(...named(p.unhandled));
    const handle = hub.start(p.today);
    /** One record after the other, as they come. */
    const flow = async (wishes: Wish[]) => {
      for (const w of wishes) {
        const { connection } = hub;
        const from = await boundsOf(connection, { topic: GREETER_TOPIC });
        await hub.publish(w);
        const to = await boundsOf(connection, { topic: GREETER_TOPIC });
        for (const [partition, bound] of to) bound.next = from.get(partition)?.end ?? 0n;
        for (const [partition, bound] of to) if (bound.next >= bound.end) to.delete(partition);
        await readRange(connection, GREETER_TOPIC, to, handle);
      }
    };
    live.push(flow(named(p.whilePlanning)));
    const { id, items: shown } = await hub.plan();
    live.push(flow(named(p.whileApplying)));
    const items = await hub.apply(id, p.redo);
    await Promise.all(live);
    await hub.untilSettled();

    const done = await doneBy(hub, id);
    for (const [i, item] of items.entries()) {
      const plan = shown[i]?.plan as ItemPlan;
      const cause = (item.body as { envelope: { id: string } }).envelope.id;
      const events = (done.events.get(cause) ?? []).map(({ type }) => type);
      const effects = (done.effects.get(cause) ?? []).map(({ kind, slot, request_hash }) => [kind, slot, request_hash]);
      const course = courseOf(plan, p.redo);
      const redone = course === plan.redo ? 'redone, ' : '';
      const what = redone + (course.assumed !== undefined ? `assumed, ${item.state}` : item.state);
      seen[what] = (seen[what] ?? 0) + 1;
      if (item.state === 'held') expect({ cause, events, effects }).toEqual({ cause, events: [], effects: [] });
      else if (course.assumed === undefined) {
        expect({ cause, events, effects }).toEqual({
          cause,
          events: course.events,
          effects: performed(course.effects, p.redo).map(({ kind, slot, requestHash }) => [kind, slot, requestHash]),
        });
      }
    }
  } finally {
    await Promise.allSettled(live);
    await hub.drop();
  }
  expect(hub.errors).toEqual([]);
}

it('does for every record that is not assumed what its plan showed, also under live traffic', async () => {
  seen = {};
  await fc.assert(fc.asyncProperty(pattern, planIsApply), { numRuns: 8, seed: 20_261_121, endOnFailure: true });
  // The patterns reach all the ways in which an item may end.
  expect(Object.keys(seen)).toEqual(
    expect.arrayContaining(['applied', 'assumed, applied', 'held', 'redone, applied', 'redone, assumed, applied']),
  );
}, 240_000);
