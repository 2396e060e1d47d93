import { Hub } from './testing/hub';
import { Lead } from './testing/lead';

let hub: Hub;
beforeAll(async () => {
  // Questions cost what they cost: here nothing.
  const free = { OPENAI_PRICES: 'gpt-6-luna=0/0' };
  hub = await Hub.start({ HEYGEN_TEST_RENDERS: 'true', BUDGET_USD_PER_DAY: '0.01', ...free });
});
afterAll(() => hub?.stop());

it('makes videos as tests, which cost nothing and ask nothing of a budget', async () => {
  const lead = await Lead.make(hub);
  await hub.post(`[${lead.change()}]`);
  await lead.done();
  expect(await hub.control('heygen', 'GET', '/billing')).toMatchObject({ count: 0, chargedUsd: 0, tests: 1 });
  expect(await hub.refrain('budgets')).toMatchObject({ budgets: [] });
  const [order, ...more] = await lead.orders();
  expect([order?.path, order?.requestBody?.['test'], more]).toEqual(['/v2/template/demo-outreach/generate', true, []]);
});

it('warns at the start that these are no production’s', () => {
  expect(hub.logs()).toMatch(/"level":(40|"warn").*"code":"test-renders"/);
});
