import { crmEvents, type DomainEvent, enrichmentEvents, renderEvents, wireType, type Catalog } from '#libs/contracts';
import type { StoredEvent } from '../shapes';
import { testDatabase, type TestDatabase } from '../testing/test-database';
import { listRecords, NotBuilt } from './record-list';
import { recordsModel } from './records';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.pool.query('drop schema if exists records cascade; create schema records');
  await inSchema(recordsModel.tables.map((text) => ({ text, values: [] })));
});

async function inSchema(statements: { text: string; values: unknown[] }[]): Promise<void> {
  const client = await db.pool.connect();
  await client.query('set search_path to records, public');
  for (const { text, values } of statements) await client.query(text, values);
  await client.query('reset search_path');
  client.release();
}

const T1 = '2026-11-20T10:00:00Z';
const T2 = '2026-11-21T10:00:00.5Z';
let position = 0;
function stored(of: Catalog, subject: string, event: DomainEvent, tenant = 'default'): StoredEvent {
  position += 1;
  return {
    streamId: `${of.context}-${tenant}:${subject}`,
    version: position,
    position: String(position),
    service: 'any',
    tenant,
    subject,
    type: wireType(of, event),
    data: event.data,
    meta: { rootCause: 'c', causedBy: 'c' },
    occurredAt: new Date(Date.parse(T1) + position * 1_000),
  };
}

const render = (n: number, at: string) => ({ recipe: 'r', recipeVersion: 'v', render: n, triggeredAt: at });
const enrichment = (n: number, at: string) => ({ recipe: 'r', recipeVersion: 'v', enrichment: n, triggeredAt: at });
const requested = (n: number, at: string) =>
  ({ type: 'RenderRequested', data: { ...render(n, at), rootCause: 'c', content: 'x' } }) as const;
const submitted = (n: number, at: string, videoId: string) =>
  ({ type: 'RenderSubmitted', data: { ...render(n, at), generation: 1, videoId } }) as const;
const completed = (n: number, at: string, videoId: string) =>
  ({ type: 'RenderCompleted', data: { ...render(n, at), videoId, url: 'https://v.example.test' } }) as const;
const failed = (n: number, at: string, code: string) =>
  ({ type: 'RenderFailed', data: { ...render(n, at), code, reason: 'no' } }) as const;
const scored = (n: number, at: string, lead_score: string) =>
  ({
    type: 'EnrichmentCompleted',
    data: {
      ...enrichment(n, at),
      ask: 'lead',
      model: 'm',
      answer: { lead_score: Number(lead_score), secret: 'what a person said' },
      tokens: { input: 1, output: 1 },
    },
  }) as const;

const history = (): StoredEvent[] => [
  stored(renderEvents, 'contact:1', requested(1, T1)),
  stored(renderEvents, 'contact:2', requested(1, T1)),
  stored(renderEvents, 'contact:2', requested(1, T1), 'other'),
  stored(renderEvents, 'contact:2', submitted(1, T1, 'v-2')),
  stored(renderEvents, 'contact:1', completed(1, T1, 'v-1')),
  // The order's own answer after the callback.
  stored(renderEvents, 'contact:1', submitted(1, T1, 'v-1')),
  stored(enrichmentEvents, 'contact:1', scored(1, T1, '70')),
  stored(crmEvents, 'contact:1', { type: 'RecordUpdateOwed', data: { write: 1, properties: { lead_score: '70' } } }),
  stored(crmEvents, 'contact:1', {
    type: 'RecordUpdateRejected',
    data: { write: 1, properties: {}, code: 'forbidden', reason: 'no' },
  }),
  { ...stored(renderEvents, 'contact:9', requested(1, T1)), type: 'refrain.input.parked.v1', data: {} },
  stored(renderEvents, 'contact:2', failed(1, T1, 'avatar-gone')),
  // A newer render forgets the older one's video; its end comes late and counts no more.
  stored(renderEvents, 'contact:1', requested(2, T2)),
  stored(renderEvents, 'contact:1', failed(1, T1, 'too late')),
  stored(crmEvents, 'contact:1', { type: 'RecordUpdated', data: { write: 2, properties: { lead_score: '70' } } }),
];

const rows = [
  {
    tenant: 'default',
    subject: 'contact:1',
    renderStatus: 'PENDING',
    renderError: null,
    videoId: null,
    enrichmentStatus: 'COMPLETED',
    enrichmentError: null,
    leadScore: '70',
    writeStatus: 'COMPLETED',
    writeError: null,
    renders: 2,
    enrichments: 0,
    writes: 1,
    events: 9,
    lastType: 'refrain.record.updated.v1',
    lastAt: expect.any(Date) as Date,
  },
  {
    tenant: 'default',
    subject: 'contact:2',
    renderStatus: 'FAILED',
    renderError: 'avatar-gone',
    videoId: 'v-2',
    enrichmentStatus: null,
    enrichmentError: null,
    leadScore: null,
    writeStatus: null,
    writeError: null,
    renders: 1,
    enrichments: 0,
    writes: 0,
    events: 3,
    lastType: 'refrain.render.failed.v1',
    lastAt: expect.any(Date) as Date,
  },
  expect.objectContaining({ tenant: 'other', subject: 'contact:2', renderStatus: 'PENDING', events: 1 }),
];

it.each([1, 2, 3, 5, 100])('says the same of the same events in pages of %d', async (size) => {
  const events = history();
  for (let i = 0; i < events.length; i += size) await inSchema(recordsModel.apply(events.slice(i, i + size)));
  expect(await listRecords(db.pool, { limit: 10 })).toEqual(rows);
  const { rows: raw } = await db.pool.query<{ text: string }>('select r::text as text from records.record r');
  expect(raw.map((row) => row.text).join('\n')).not.toContain('what a person said');
});

it('is listed by status and tenant, page by page', async () => {
  await inSchema(recordsModel.apply(history()));
  const subjects = async (over: Partial<Parameters<typeof listRecords>[1]>) =>
    (await listRecords(db.pool, { limit: 10, ...over })).map((row) => `${row.tenant} ${row.subject}`);
  expect(await subjects({ status: 'FAILED' })).toEqual(['default contact:2']);
  expect(await subjects({ tenant: 'other' })).toEqual(['other contact:2']);
  expect(await subjects({ limit: 1 })).toEqual(['default contact:1']);
  expect(await subjects({ after: ['default', 'contact:1'] })).toEqual(['default contact:2', 'other contact:2']);
});

it('says so where it was not built yet', async () => {
  await db.pool.query('drop schema records cascade');
  await expect(listRecords(db.pool, { limit: 1 })).rejects.toThrow(NotBuilt);
});

it('an erasure makes no record', () => {
  const erased = { type: 'SubjectErased', data: { by: 'test' } };
  expect(recordsModel.apply([stored(crmEvents, 'contact:1', erased)])).toEqual([]);
});

it('a rota is no record', () => {
  const turn = { recipe: 'r', recipeVersion: 'v', step: 's', rootCause: 'c', rota: 'emea', owner: '1' };
  const taken = { type: 'TurnTaken', data: { ...turn, record: { type: 'contact', id: '7' } } };
  expect(recordsModel.apply([stored(crmEvents, 'rota:emea.2026-11', taken)])).toEqual([]);
});
