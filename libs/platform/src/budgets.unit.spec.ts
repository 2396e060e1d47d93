import { budgetWatch } from './budget-watch';
import { declaredBudgets } from './budgets';
import { readMetrics } from './metrics';
import { dollars } from './settings';
import { tenants } from './tenants';

const account = (over: object = {}) => ({ tokenEnv: 'TOKEN', tier: 'professional', ...over });
const declared = (budgets?: object, hubspot: object = {}) =>
  tenants.safeParse([{ tenant: 'acme', budgets, hubspot: account(hubspot) }]);

it('takes a tenant’s own budget and time zone, and the setting for all others', () => {
  const { data } = declared({ usdPerDay: 25.5 }, { timeZone: 'Europe/Berlin' });
  expect(declaredBudgets({ TENANTS_FILE: data, HUBSPOT_TIME_ZONE: 'Asia/Tokyo', BUDGET_USD_PER_DAY: 3 })).toEqual({
    perTenant: 3,
    tenants: { acme: 25.5 },
    zones: { acme: 'Europe/Berlin' },
  });
  expect(declaredBudgets({ HUBSPOT_TIME_ZONE: 'Asia/Tokyo' })).toEqual({
    ...{ perTenant: undefined, tenants: {}, zones: {} },
    zone: 'Asia/Tokyo',
  });
});

it.each([{ usdPerDay: -1 }, { usdPerDay: '5' }, { perDay: 5 }, { usdPerDay: 0.0000001 }])('refuses %j', (budgets) => {
  expect(declared(budgets).success).toBe(false);
});

it.each([0, 0.000001, 0.3, 10.1, 1234.56])('takes $%d', (usdPerDay) => {
  expect(declared({ usdPerDay }).success).toBe(true);
});

it.each(['-1', '1e3', '$5', '0.1234567', ''])('takes no %j for an amount of a setting', (text) => {
  expect(dollars().safeParse(text).success).toBe(false);
});

it('tells of an exhausted budget in one line, with what helps', () => {
  const lines: object[] = [];
  const { onExhausted } = budgetWatch({ error: (fields, message) => lines.push({ ...fields, message }) });
  const amounts = { limitUsd: 5, spentUsd: 4, reservedUsd: 1, waiting: 2 };
  onExhausted({ tenant: 'acme', scope: 'tenant', day: '2026-11-22', ...amounts, remedy: 'raise it' });
  expect(lines).toEqual([
    {
      ...{ code: 'budget-exhausted', tenant: 'acme', scope: 'tenant', day: '2026-11-22', ...amounts },
      remedy: 'raise it',
      message: 'a budget is exhausted: what would cost more waits',
    },
  ]);
});

it('measures tenants and recipes by name, and all replays together', async () => {
  const { onBooks } = budgetWatch({ error: () => undefined });
  const book = { limitUsd: 5, spentUsd: 1, reservedUsd: 0.5, waiting: 2 };
  onBooks([
    { scope: 'tenant', tenant: 'acme', name: '', ...book },
    { scope: 'recipe', tenant: 'acme', name: 'deal-won', ...book },
    { scope: 'replay', tenant: '', name: 'replay-1', ...book },
    { scope: 'replay', tenant: '', name: 'replay-2', ...book },
  ]);
  const spent = (metrics: string) => metrics.split('\n').filter((line) => line.startsWith('budget_spent_usd{'));
  expect(spent(await readMetrics())).toEqual([
    'budget_spent_usd{scope="tenant",tenant="acme",recipe=""} 1',
    'budget_spent_usd{scope="recipe",tenant="acme",recipe="deal-won"} 1',
    'budget_spent_usd{scope="replay",tenant="",recipe=""} 2',
  ]);
  onBooks([]);
  expect(spent(await readMetrics()).every((line) => line.endsWith(' 0'))).toBe(true);
});
