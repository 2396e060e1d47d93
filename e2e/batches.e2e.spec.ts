import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hub } from './testing/hub';
import { until } from './testing/until';

// A backfill that may take a day: judged by OpenAI's own bill.

const CONTACTS = 60;
/** So many of them say the same as another one. */
const DISTINCT = 40;
/** Room for most of the questions by half of what they may cost, but not for all. */
const BUDGET_USD = 0.8;
const USD_PER_TOKEN = 0.00001;
/** What a question may be answered with at most; asking it comes on top. */
const MOST_TOKENS = 4_000;
const folder = mkdtempSync(join(tmpdir(), 'batches-'));
writeFileSync(
  join(folder, 'judged.yaml'),
  `recipe: judged
trigger: { object: contact, property: hs_lead_status, becomes: [OPEN] }
steps:
  - name: judged
    ask:
      model: gpt-6-luna
      properties: [lastname]
      instruction: Say who the lead is.
      answer: { type: object, additionalProperties: false, required: [summary], properties: { summary: { type: string } } }
  - write: { properties: { ai_lead_summary: "\${steps.judged.summary}" } }
`,
);

let hub: Hub;
beforeAll(async () => {
  hub = await Hub.start({
    ...{ RECIPES_DIR: folder, LATENCY_MS: '5', OPENAI_BATCH_MOST: '25', OPENAI_BATCH_AFTER: '2s' },
    ...{ OPENAI_BATCH_EVERY: '300ms', OPENAI_BATCH_DEADLINE: '2s' },
    ...{ BUDGET_USD_PER_DAY: String(BUDGET_USD), OPENAI_PRICES: 'gpt-6-luna=10/10' },
    OPENAI_MOST_TOKENS: String(MOST_TOKENS),
  });
}, 240_000);
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true });
});

const contact = async (n: number): Promise<string> => {
  const properties = { lastname: `Lovelace-${String(n % DISTINCT)}.` };
  const { id } = await hub.control<{ id: string }>('hubspot', 'POST', '/ui/contacts', { properties });
  await hub.control('hubspot', 'PATCH', `/ui/contacts/${id}`, { properties: { hs_lead_status: 'OPEN' } });
  return id;
};
const summaryOf = async (id: string): Promise<unknown> =>
  (await hub.control<{ properties: Record<string, unknown> }>('hubspot', 'GET', `/objects/contacts/${id}`)).properties[
    'ai_lead_summary'
  ];

interface Billing {
  entries: { question: string; rate: number; batch?: string }[];
  paidTokens: number;
}
interface Book {
  spentUsd: number;
  reservedUsd: number;
  waiting: number;
}
interface Batches {
  batches: { questions: number; batch?: string; counts?: { total: number } }[];
}
interface AtOpenai {
  batches: { id: string; status: string; metadata: Record<string, string> }[];
}
const bill = () => hub.control<Billing>('openai', 'GET', '/billing');
const billed = async () => (await bill()).entries;
const book = async () => (await hub.refrain<{ budgets: Book[] }>('budgets')).budgets[0];
const atOpenai = async () => (await hub.control<AtOpenai>('openai', 'GET', '/batches')).batches;

it('enriches every record, each distinct question billed once and by half, within a budget, over faults and a kill', async () => {
  const heard = await contact(0);
  await until('the one that was heard of is served', () => summaryOf(heard));
  const contacts = [heard];
  await hub.control('hubspot', 'PUT', '/subscriptions', { subscriptions: [] });
  for (let n = 1; n < CONTACTS; n += 1) contacts.push(await contact(n));

  const match = { method: 'POST', pathPrefix: '/v1/batches' };
  await hub.control('openai', 'POST', '/faults', { match, fault: { kind: 'accept-then-reset' } });
  const failing = {
    match: { bodyIncludes: 'Lovelace-7.' },
    fault: { kind: 'line', status: 500, code: 'server_error' },
  };
  await hub.control('openai', 'POST', '/batch-faults', failing);
  await hub.control('openai', 'POST', '/batch-faults', { fault: { kind: 'expired', done: 5 } });
  await hub.control('openai', 'PUT', '/batches', { batchMs: 3_600_000 });
  await hub.refrain('backfill', 'contacts', '--batch');

  const isUnderWay = ({ batch }: Batches['batches'][number]) => batch !== undefined;
  const underWay = await until('all questions are in batches, or wait for the budget', async () => {
    const { batches } = await hub.refrain<Batches>('batches');
    const carried = batches.filter(isUnderWay).reduce((sum, { questions }) => sum + questions, 0);
    return carried + ((await book())?.waiting ?? 0) === DISTINCT - 1 && batches;
  });
  expect(underWay.length).toBeGreaterThanOrEqual(2);
  const { reservedUsd = 0, spentUsd = 0, waiting = 0 } = (await book()) ?? {};
  expect(waiting).toBeGreaterThan(0);
  // At the full price there would be room for fewer.
  expect((DISTINCT - 1 - waiting) * MOST_TOKENS * USD_PER_TOKEN).toBeGreaterThan(BUDGET_USD);
  expect(reservedUsd + spentUsd).toBeLessThanOrEqual(BUDGET_USD);
  expect(await billed()).toMatchObject([{ rate: 1 }]);

  await hub.control('openai', 'PUT', '/batches', { batchMs: 1 });
  const ended = atOpenai().then((batches) =>
    Promise.all(batches.map(({ id }) => hub.control('openai', 'POST', `/batches/${id}/finish`))),
  );
  await Promise.all([hub.kill('enrichment-service'), ended]);
  await until('all are served', async () => (await Promise.all(contacts.map(summaryOf))).every(Boolean), 90_000);
  for (const path of ['/faults', '/batch-faults']) {
    // Every fault was met.
    expect(await hub.control('openai', 'GET', path)).toEqual({ faults: [] });
  }
  const entries = await billed();
  expect(new Set(entries.map(({ question }) => question)).size).toBe(DISTINCT);
  expect(entries.map(({ rate }) => rate).sort()).toEqual([...Array<number>(DISTINCT - 1).fill(0.5), 1]);
  const all = await atOpenai();
  expect(new Set(all.map(({ metadata }) => metadata['refrain_token'])).size).toBe(all.length);
  await until('nothing is kept at OpenAI', async () => {
    const { files } = await hub.control<{ files: unknown[] }>('openai', 'GET', '/files');
    return files.length === 0;
  });
  expect(await hub.refrain('batches')).toEqual({ batches: [] });
  const usd = Number(((await bill()).paidTokens * USD_PER_TOKEN).toFixed(6));
  expect(usd).toBeLessThanOrEqual(BUDGET_USD);
  expect(await book()).toMatchObject({ spentUsd: usd, reservedUsd: 0, waiting: 0 });
}, 240_000);
