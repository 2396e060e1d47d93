import { Hub } from './testing/hub';
import { Lead } from './testing/lead';
import { until } from './testing/until';

const USD_PER_TOKEN = 0.00001;
const LEADS = 12;
let hub: Hub;
beforeAll(async () => {
  hub = await Hub.start({
    BUDGET_USD_PER_DAY: '0.1',
    HEYGEN_USD_PER_SECOND: '0',
    OPENAI_PRICES: 'gpt-6-luna=10/10',
  });
});
afterAll(() => hub?.stop());

interface Book {
  limitUsd: number;
  spentUsd: number;
  reservedUsd: number;
  waiting: number;
}

const book = async (): Promise<Book | undefined> => (await hub.refrain<{ budgets: Book[] }>('budgets')).budgets[0];
const bill = async () => {
  const { calls, totalTokens } = await hub.control<{ calls: number; totalTokens: number }>('openai', 'GET', '/billing');
  return { calls, usd: Number((totalTokens * USD_PER_TOKEN).toFixed(6)) };
};
/** Resolves with the books when nothing is under way, and what OpenAI billed stands in them. */
const settled = (waits: (waiting: number) => boolean) =>
  until('all that could be asked is settled', async () => {
    const now = await book();
    return now?.reservedUsd === 0 && waits(now.waiting) && now;
  });

it('asks no question beyond the budget, whose answers then cost what OpenAI billed, and asks the rest when it is raised', async () => {
  for (let n = 0; n < LEADS; n += 1) {
    const lead = await Lead.make(hub, { note: `$${String(n + 1)}0k ready for Q1` });
    await hub.post(`[${lead.change()}]`);
  }
  const spent = await settled((waiting) => waiting > 0);
  const { calls, usd } = await bill();
  expect(calls).toBeGreaterThan(0);
  expect(calls).toBeLessThan(LEADS);
  expect(usd).toBeLessThanOrEqual(0.1);
  expect(spent).toMatchObject({ limitUsd: 0.1, spentUsd: usd, waiting: LEADS - calls });
  expect(hub.logs().split('"code":"budget-exhausted"').length - 1).toBe(1);

  await hub.refrain('budgets', 'raise', '5', '--tenant', 'default');
  const all = await settled((waiting) => waiting === 0);
  await until('all are asked', async () => (await bill()).calls === LEADS);
  const after = await settled((waiting) => waiting === 0);
  expect(all.limitUsd).toBe(5.1);
  expect(after.spentUsd).toBe((await bill()).usd);
});
