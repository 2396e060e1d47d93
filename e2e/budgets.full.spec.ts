import { Hub } from './testing/hub';
import { Lead } from './testing/lead';
import { until } from './testing/until';

// A video of the sandbox is 12.5 s long and costs $0.50; before any was made it is thought to be a little longer.
const VIDEO_USD = 0.5;
let hub: Hub;
beforeAll(async () => {
  hub = await Hub.start(
    {
      BUDGET_USD_PER_DAY: '2',
      HEYGEN_USD_PER_SECOND: '0.04',
      HEYGEN_VIDEO_SECONDS: '12',
      // Questions are another test's.
      OPENAI_PRICES: 'gpt-6-luna=0/0',
    },
    { replicas: 2 },
  );
});
afterAll(() => hub?.stop());

interface Book {
  scope: string;
  spentUsd: number;
  reservedUsd: number;
  leftUsd: number;
  limitUsd: number;
  waiting: number;
  forecastUsd: number;
}

const book = async (): Promise<Book | undefined> => (await hub.refrain<{ budgets: Book[] }>('budgets')).budgets[0];
const billing = async () => {
  const { chargedUsd, count, refunded } = await hub.control<Record<string, number>>('heygen', 'GET', '/billing');
  return { chargedUsd, videos: (count ?? 0) - (refunded ?? 0) };
};
const raise = (usd: string) => hub.refrain('budgets', 'raise', usd, '--tenant', 'default');
const quiet = (waiting: number) =>
  until(
    `all is settled and ${String(waiting)} wait`,
    async () => {
      const now = await book();
      return now?.reservedUsd === 0 && now.waiting === waiting;
    },
    110_000,
  );

async function qualified(n: number): Promise<Lead[]> {
  const leads = await Promise.all(Array.from({ length: n }, () => Lead.make(hub)));
  for (const [i, lead] of leads.entries()) await hub.post(`[${lead.change()}]`, { replica: 1 + (i % 2) });
  return leads;
}

let leads: Lead[];
const made = async () => {
  const all = await Promise.all(leads.map((lead) => lead.billedRenders()));
  return all.map(({ length }) => length);
};

it('has not one video made beyond the budget, however many are wanted of two replicas', async () => {
  leads = await qualified(12);
  await quiet(8);
  expect(await billing()).toEqual({ chargedUsd: 4 * VIDEO_USD, videos: 4 });
  expect(await book()).toMatchObject({ scope: 'tenant', limitUsd: 2, spentUsd: 2, reservedUsd: 0, leftUsd: 0 });
  expect((await hub.calls('heygen')).filter(({ method }) => method === 'POST')).toHaveLength(4);
});

it('says so once: an event on the log, a line with what helps', async () => {
  await hub.caughtUp();
  const told = await until('the event is on the log', () => {
    const events = hub.records.filter(({ headers }) => headers['ce_type'] === 'refrain.budget.exhausted.v1');
    return events.length > 0 && events;
  });
  expect(told.map(({ topic, key, value }) => [topic, key, JSON.parse(String(value)) as unknown])).toMatchObject([
    [
      'budget.events.v1',
      'default:budget:tenant',
      { scope: 'tenant', limitUsd: 2, remedy: expect.stringContaining('raise') as string },
    ],
  ]);
  expect(hub.logs().split('"code":"budget-exhausted"').length - 1).toBe(1);
});

it('asks nothing more than the length of each video that was made', async () => {
  const asked = (await hub.calls('heygen')).filter(
    ({ method, path }) => method === 'GET' && path.startsWith('/v3/videos/'),
  );
  expect(asked).toHaveLength(4);
});

it('goes on when the budget is raised, and has its books right after a kill between reserving and settling', async () => {
  await raise('2');
  await until(
    'the next orders are placed',
    async () => (await hub.calls('heygen')).filter(({ method }) => method === 'POST').length > 4,
  );
  await hub.kill('render-service');
  await quiet(4);
  expect(await billing()).toEqual({ chargedUsd: 8 * VIDEO_USD, videos: 8 });
  expect(await book()).toMatchObject({ limitUsd: 4, spentUsd: 4, leftUsd: 0 });
});

it('gives back what a failed video would have cost', async () => {
  const all = { match: {}, outcome: 'fail', code: 'content_policy_violation', message: 'as planned', times: 1 };
  await hub.control('heygen', 'POST', '/render-outcomes', all);
  await raise('0.5');
  // The one that failed made room for the next.
  await quiet(2);
  expect(await billing()).toEqual({ chargedUsd: 9 * VIDEO_USD, videos: 9 });
  expect(await book()).toMatchObject({ spentUsd: 4.5, leftUsd: 0 });
});

it('corrects what is left where videos become shorter than was thought', async () => {
  await hub.control('heygen', 'PUT', '/settings', { videoSeconds: 2.5, renderPriceUsd: 0.1 });
  await raise('0.6');
  await quiet(0);
  expect(await book()).toMatchObject({ spentUsd: 4.7, leftUsd: 0.4, waiting: 0 });
  expect((await billing()).videos).toBe(11);
  expect((await made()).every((n) => n <= 1)).toBe(true);
});
