import fc from 'fast-check';
import type { Answer, Cost } from '#libs/contracts';
import type { EffectKind } from '../effect-kind';
import type { GreeterCode } from '../testing/greeter';
import { Replaying, type Wish } from '../testing/replaying';
import { plus } from './bound';
import { courseOf, type ItemPlan, performed } from './simulation';

// A vendor whose answers are not those that a plan supposes: names are looked up as others, and letters come back.

const code = fc.record<GreeterCode>(
  { refusesShortNames: fc.boolean(), polite: fc.boolean(), insists: fc.boolean(), thorough: fc.boolean() },
  { requiredKeys: [] },
);
const wish = fc.record({
  about: fc.constantFrom('contact:1', 'contact:2', 'contact:3'),
  who: fc.constantFrom('Ada', 'Bob', 'Charlie', 'Dorothy', 'Eve'),
});
const pattern = fc.record({
  yesterday: code,
  today: code,
  handled: fc.array(wish, { minLength: 2, maxLength: 6 }),
  unhandled: fc.array(wish, { minLength: 2, maxLength: 6 }),
  names: fc.dictionary(fc.constantFrom('Ada', 'Bob', 'Charlie'), fc.constantFrom('Al', 'Maximilian')),
  returned: fc.subarray(['Ada', 'Al', 'Charlie', 'Dorothy', 'Maximilian']),
  redo: fc.boolean(),
  batch: fc.boolean(),
});

type Pattern = typeof pattern extends fc.Arbitrary<infer T> ? T : never;

// By batch a letter costs half.
const HALF = 0.5;

function odd({ names, returned }: Pattern): Record<string, Partial<EffectKind>> {
  const lettered = (text: string, credits: number): Answer => {
    const name = text.split(' ')[1] ?? '';
    const value = `${returned.includes(name) ? 'returned ' : ''}letter to ${name}`;
    return { outcome: 'done', value, cost: { credits } };
  };
  return {
    'greeter.look': {
      plan: { cost: () => ({ apiCalls: 1 }), follows: (_, lane) => ({ credits: 3 + (lane === 'batch' ? HALF : 1) }) },
      perform: ({ who }: { who: string }) =>
        Promise.resolve({ outcome: 'done', value: names[who] ?? who, cost: { apiCalls: 1 } }),
    },
    'greeter.send': {
      plan: {
        answer: () => 'letter',
        cost: (_, lane) => ({ credits: lane === 'batch' ? HALF : 1 }),
        follows: () => ({ credits: 3 }),
      },
      perform: ({ text }: { text: string }) => Promise.resolve(lettered(text, 1)),
    },
    'greeter.batch': {
      is: 'command',
      deadlineMs: 2_000,
      maxAttempts: 3,
      maxRepeats: 0,
      job: { carries: 'greeter.send', alike: () => '', most: 10, mostBytes: 10_000, gatherMs: 0, doubtMs: 10 },
      async perform(_, { job }) {
        for (const one of (await job?.carried()) ?? [])
          await job?.answer(one, lettered((one.request as { text: string }).text, HALF));
        return { outcome: 'done', value: null };
      },
    },
  };
}

/** What a replay really cost, by the record that it goes back to. */
async function spent(hub: Replaying, id: string): Promise<Map<string, Cost>> {
  const { rows } = await hub.db.pool.query<{ cause: string; cost: Cost | null }>(
    `select root_cause as cause, cost from effect where meta->>'replayId' = $1`,
    [id],
  );
  const of = Map.groupBy(rows, ({ cause }) => cause);
  return new Map([...of].map(([cause, effects]) => [cause, effects.map(({ cost }) => cost ?? {}).reduce(plus, {})]));
}

const units: (keyof Cost)[] = ['apiCalls', 'credits'];
let seen: Set<string>;

async function costsNoMore(p: Pattern): Promise<void> {
  const hub = await Replaying.create();
  let n = 0;
  const named = (wishes: { about: string; who: string }[]) =>
    wishes.map((w): Wish => ({ ...w, id: `wish-${String((n += 1))}` }));
  try {
    await hub.publish(...named(p.handled));
    await hub.liveYesterday(p.yesterday);
    await hub.publish(...named(p.unhandled));
    hub.start(p.today, {}, odd(p));
    const { id, items: shown } = await hub.plan({}, { batch: p.batch });
    await hub.apply(id, p.redo);
    const real = await spent(hub, id);
    for (const item of shown) {
      const { effects, further = {} } = courseOf(item.plan as ItemPlan, p.redo);
      const exact = performed(effects, p.redo).reduce((sum, { cost }) => plus(sum, cost ?? {}), {} as Cost);
      const atMost = plus(exact, further);
      const { id: cause } = (item.body as { envelope: { id: string } }).envelope;
      const cost = real.get(cause) ?? {};
      for (const unit of units) {
        expect(cost[unit] ?? 0).toBeLessThanOrEqual(atMost[unit] ?? 0);
        if ((cost[unit] ?? 0) > (exact[unit] ?? 0)) seen.add('more than the exact part');
        if (cost[unit] === HALF) seen.add('half the price');
        if ((further[unit] ?? 0) > 0 && cost[unit] === atMost[unit]) seen.add('all of the upper bound');
      }
    }
  } finally {
    await hub.drop();
  }
  expect(hub.errors).toEqual([]);
}

it('costs no more, record by record, than its plan showed at most, whatever the vendors answer', async () => {
  seen = new Set();
  await fc.assert(fc.asyncProperty(pattern, costsNoMore), { numRuns: 6, seed: 20_261_121, endOnFailure: true });
  expect([...seen].sort()).toEqual(['all of the upper bound', 'half the price', 'more than the exact part']);
}, 120_000);
