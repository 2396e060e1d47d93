import { crmEvents, type DomainEvent, enrichmentEvents, renderEvents, wireType, type Catalog } from '#libs/contracts';
import type { StoredEvent } from '../shapes';
import { append } from '../testing/appending';
import { testDatabase, type TestDatabase } from '../testing/test-database';
import { until } from '../testing/until';
import { readCard, type CardPart } from './card-read';
import { cardsModel } from './cards';
import { Projector } from './projector';
import { readModelState, requestRebuild } from './rebuild';
import { NotBuilt } from './record-list';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.pool.query('drop schema if exists cards cascade; create schema cards');
  await inSchema(cardsModel.tables.map((text) => ({ text, values: [] })));
});

async function inSchema(statements: { text: string; values: unknown[] }[]): Promise<void> {
  const client = await db.pool.connect();
  await client.query('set search_path to cards, public');
  for (const { text, values } of statements) await client.query(text, values);
  await client.query('reset search_path');
  client.release();
}

const T1 = '2026-11-20T10:00:00Z';
let position = 0;
/** `own` is the record of its stream, `subject` whom it speaks of. */
function stored(
  of: Catalog,
  own: string,
  event: DomainEvent,
  { subject = own, tenant = 'default', context = of === crmEvents ? 'record' : of.context } = {},
): StoredEvent {
  position += 1;
  return {
    streamId: `${context}-${tenant}:${own}${of === crmEvents ? '' : ':lead'}`,
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

const ofRender = (n: number) => ({ recipe: 'lead', recipeVersion: 'v', render: n, triggeredAt: T1 });
const requested = (n: number): DomainEvent => ({
  type: 'RenderRequested',
  data: { ...ofRender(n), rootCause: 'c', content: 'x' },
});
const submitted = (n: number, videoId: string): DomainEvent => ({
  type: 'RenderSubmitted',
  data: { ...ofRender(n), generation: 1, videoId },
});
const completed = (n: number, videoId: string): DomainEvent => ({
  type: 'RenderCompleted',
  data: { ...ofRender(n), videoId, url: `https://v.example.test/${videoId}` },
});
const failed = (n: number, code = '5000'): DomainEvent => ({
  type: 'RenderFailed',
  data: { ...ofRender(n), code, reason: 'broke' },
});
const ofEnrichment = (n: number) => ({ recipe: 'lead', recipeVersion: 'v', enrichment: n, triggeredAt: T1 });
const answered = (n: number, answer: Record<string, unknown>): DomainEvent => ({
  type: 'EnrichmentCompleted',
  data: { ...ofEnrichment(n), ask: 'qualification', model: 'm', answer, tokens: { input: 100, output: 10 } },
});
const secret = 'has three children';
const answer = {
  lead_score: 59,
  sentiment: 0.8,
  budget: null,
  next_steps: 'call',
  summary: secret,
  reasons: ['a', 'b'],
};
const ofFetch = (n: number) => ({ recipe: 'lead', recipeVersion: 'v', step: 'plan', fetch: n, triggeredAt: T1 });
const fetched = (n: number, fields: Record<string, unknown>): DomainEvent => ({
  type: 'FetchCompleted',
  data: { ...ofFetch(n), system: 'billing', status: 200, fields },
});
const refused = (write: number): DomainEvent => ({
  type: 'RecordUpdateRejected',
  data: { write, properties: {}, code: 'VALIDATION_ERROR', reason: 'no' },
});
const updated = (write: number): DomainEvent => ({ type: 'RecordUpdated', data: { write, properties: {} } });
const ref = (id: string) => ({ type: 'contact', id });
const merged = (gone: string, into: string, others: string[] = []): DomainEvent => ({
  type: 'RecordMerged',
  data: { records: [gone, ...others].map(ref), into: ref(into), at: T1 },
});
const fate = (type: 'RecordDeleted' | 'RecordRestored' | 'RecordErasureAsked', ...ids: string[]): DomainEvent => ({
  type,
  data: { records: ids.map(ref), at: T1 },
});
const render = (own: string, event: DomainEvent, over = {}) => stored(renderEvents, own, event, over);
const enrichment = (own: string, event: DomainEvent, over = {}) => stored(enrichmentEvents, own, event, over);
const crm = (own: string, event: DomainEvent, over = {}) => stored(crmEvents, own, event, over);

const apply = (...events: StoredEvent[]) => inSchema(cardsModel.apply(events));
const card = (subject: string, tenant = 'default') => readCard(db.pool, { tenant, subject });
const partsOf = async (subject: string, kind: CardPart['kind']) =>
  (await card(subject)).parts.filter((part) => part.kind === kind);
const statusOf = async (subject: string) => (await partsOf(subject, 'video')).map(({ said }) => said.status);
const everything = async () =>
  (await db.pool.query<{ text: string }>('select p::text as text from cards.part p')).rows
    .map((row) => row.text)
    .join('\n');

const history = (): StoredEvent[] => [
  render('contact:1', requested(1)),
  render('contact:1', submitted(1, 'v-1')),
  enrichment('contact:1', { type: 'EnrichmentRequested', data: { ...ofEnrichment(1), rootCause: 'c', content: 'x' } }),
  render('contact:1', completed(1, 'v-1')),
  // The order's own answer after the callback: it costs, and changes nothing else.
  render('contact:1', submitted(1, 'v-1')),
  enrichment('contact:1', answered(1, answer)),
  enrichment('contact:1', fetched(1, { plan: 'pro', seats: 5 })),
  crm('contact:1', refused(1)),
  render('contact:1', requested(2)),
  render('contact:1', submitted(2, 'v-2')),
  // Of an older render.
  render('contact:1', failed(1)),
  render('contact:1', failed(2)),
  render('contact:2', requested(1), { tenant: 'other' }),
];

it.each([1, 2, 3, 5, 100])('says the same of the same events in pages of %d', async (size) => {
  const events = history();
  for (let i = 0; i < events.length; i += size) await apply(...events.slice(i, i + size));
  const { parts, spent, isGone, left } = await card('contact:1');
  expect({ spent, isGone, left }).toEqual({
    spent: { credits: 3, inputTokens: 100, outputTokens: 10 },
    isGone: false,
    left: 0,
  });
  const none = { credits: 0, inputTokens: 0, outputTokens: 0 };
  const about = { own: 'contact:1', at: expect.stringMatching(/^2026-11-20T\d\d:\d\d:\d\d\.000Z$/) as string };
  expect(parts).toEqual([
    {
      ...about,
      ...none,
      kind: 'video',
      recipe: 'lead',
      job: 2,
      credits: 1,
      said: { status: 'FAILED', triggeredAt: T1, videoId: 'v-2', error: { code: '5000', reason: 'broke' } },
    },
    {
      ...about,
      ...none,
      kind: 'write',
      recipe: '',
      job: 1,
      said: { error: { code: 'VALIDATION_ERROR', reason: 'no' } },
    },
    {
      ...about,
      ...none,
      kind: 'external',
      recipe: 'lead',
      job: 1,
      said: {
        step: 'plan',
        system: 'billing',
        triggeredAt: T1,
        fields: [
          { label: 'plan', value: 'pro' },
          { label: 'seats', value: '5' },
        ],
        error: null,
      },
    },
    {
      ...about,
      kind: 'enrichment',
      recipe: 'lead',
      job: 1,
      credits: 0,
      inputTokens: 100,
      outputTokens: 10,
      said: {
        status: 'COMPLETED',
        triggeredAt: T1,
        ask: 'qualification',
        model: 'm',
        error: null,
        score: 59,
        sentiment: 0.8,
        summary: secret,
        reasons: ['a', 'b'],
        evidence: [],
        facts: [{ label: 'next steps', value: 'call' }],
      },
    },
  ]);
});

it('shows a tenant its own records alone', async () => {
  await apply(...history());
  expect((await card('contact:2')).parts).toEqual([]);
  expect((await card('contact:1', 'other')).parts).toEqual([]);
  expect((await card('contact:2', 'other')).parts).toHaveLength(1);
});

it('forgets an error once a later write was taken', async () => {
  await apply(crm('contact:1', refused(2)), crm('contact:1', updated(3)), crm('contact:1', refused(1)));
  expect(await partsOf('contact:1', 'write')).toEqual([]);
  await apply(crm('contact:1', refused(4)));
  expect((await partsOf('contact:1', 'write')).map(({ said }) => said.error?.code)).toEqual(['VALIDATION_ERROR']);
});

it('keeps what a card can show of a long answer, with a mark', async () => {
  const long = 'x'.repeat(50_000);
  const many = Array.from({ length: 5_000 }, (_, i) => `reason ${i}`);
  await apply(
    enrichment('contact:1', answered(1, { summary: `${long}😀`, reasons: many, evidence: [long], more: long })),
  );
  const [said] = (await partsOf('contact:1', 'enrichment')).map((part) => part.said);
  expect(said?.summary).toMatch(/^x{4000}… \(46002 more characters\)$/);
  expect(said?.reasons).toHaveLength(101);
  expect(said?.reasons?.at(-1)).toBe('… and 4900 more');
  expect((await everything()).length).toBeLessThan(20_000);
});

it('stores what Postgres cannot say', async () => {
  await apply(enrichment('contact:1', answered(1, { summary: 'a\0b\ud800\u001b', more: ['\0', '\udc00'] })));
  const [said] = (await partsOf('contact:1', 'enrichment')).map((part) => part.said);
  expect(said).toMatchObject({ summary: 'ab\ufffd', facts: [{ label: 'more', value: ', \ufffd' }] });
});

it.each([1, 100])('moves what is known to the record that goes on, in pages of %d', async (size) => {
  const events = [
    render('contact:1', requested(1)),
    render('contact:2', requested(1)),
    crm('contact:1', merged('1', '2')),
    // Its stream had not heard of it, and then had.
    render('contact:1', submitted(1, 'v-1')),
    render('contact:1', completed(1, 'v-1'), { subject: 'contact:2' }),
    crm('contact:2', merged('2', '3', ['1'])),
    render('contact:2', failed(1), { subject: 'contact:2' }),
  ];
  for (let i = 0; i < events.length; i += size) await apply(...events.slice(i, i + size));
  expect([await statusOf('contact:1'), await statusOf('contact:2')]).toEqual([[], []]);
  expect(await statusOf('contact:3')).toEqual(['FAILED', 'COMPLETED']);
  expect((await partsOf('contact:3', 'video')).map(({ own }) => own)).toEqual(['contact:2', 'contact:1']);
});

it('says whether the record is deleted', async () => {
  await apply(render('contact:1', requested(1)), crm('contact:1', fate('RecordDeleted', '1')));
  expect(await card('contact:1')).toMatchObject({ isGone: true, parts: [{ kind: 'video' }] });
  await apply(crm('contact:1', fate('RecordRestored', '1')));
  expect(await card('contact:1')).toMatchObject({ isGone: false });
});

it.each([1, 100])('forgets a record that HubSpot erased, and whatever comes later, in pages of %d', async (size) => {
  const events = [
    ...history(),
    enrichment('contact:7', answered(1, answer)),
    crm('contact:7', merged('7', '1')),
    crm('contact:1', fate('RecordErasureAsked', '1', '7')),
    enrichment('contact:1', answered(2, answer)),
    enrichment('contact:7', answered(2, answer)),
    enrichment('contact:8', answered(1, answer)),
    crm('contact:8', merged('8', '1')),
    enrichment('contact:8', answered(2, answer)),
    crm('contact:1', fate('RecordRestored', '1')),
  ];
  for (let i = 0; i < events.length; i += size) await apply(...events.slice(i, i + size));
  expect(await everything()).not.toContain(secret);
  expect(await card('contact:1')).toMatchObject({ parts: [], isGone: true, spent: { credits: 0 } });
});

it('forgets what an operator erased, and shows what comes in later', async () => {
  const erased = { type: 'SubjectErased', data: { by: 'test' } };
  await apply(...history(), crm('contact:1', erased, { context: 'erasure' }));
  expect(await everything()).not.toContain(secret);
  expect((await card('contact:1')).parts).toEqual([]);
  await apply(render('contact:1', requested(3)));
  expect(await card('contact:1')).toMatchObject({ isGone: false, parts: [{ job: 3 }] });
});

it('says so where it was not built yet, or is of another version', async () => {
  await db.pool.query('alter table cards.part drop column job');
  await expect(card('contact:1')).rejects.toThrow(NotBuilt);
  await db.pool.query('drop schema cards cascade');
  await expect(card('contact:1')).rejects.toThrow(NotBuilt);
});

describe('as it is kept up', () => {
  let own: TestDatabase;
  beforeAll(async () => {
    own = await testDatabase();
  });
  afterAll(() => own.drop());

  it('says up to when it is complete, and has forgotten an erased record after a rebuild too', async () => {
    const errors: unknown[] = [];
    const projector = new Projector(own.pool, cardsModel, 'test', (error) => errors.push(error), 5);
    projector.start();
    const caughtUp = () =>
      until(async () => {
        const { live, next, last } = await readModelState(own.pool, 'cards');
        return next === undefined && live !== undefined && live.position >= last;
      });
    const write = (event: StoredEvent, version: number) => {
      const { streamId, tenant, subject, type, data, meta } = event;
      return append(own.pool, [{ streamId, version, tenant, subject, type, data, meta }]);
    };
    const read = () => readCard(own.pool, { tenant: 'default', subject: 'contact:1' });
    await write(enrichment('contact:1', answered(1, answer)), 1);
    await caughtUp();
    expect((await read()).parts).toMatchObject([{ said: { summary: secret } }]);
    await write(crm('contact:1', fate('RecordErasureAsked', '1')), 1);
    await caughtUp();
    expect((await read()).parts).toEqual([]);
    await requestRebuild(own.pool, 'cards', 'test');
    await caughtUp();
    expect((await read()).parts).toEqual([]);
    const { rows } = await own.pool.query<{ text: string }>('select p::text as text from cards.part p');
    expect(rows).toEqual([]);
    await projector.stop();
    // Nobody keeps it up: it is complete up to what it does not have.
    await write(enrichment('contact:2', answered(1, answer)), 1);
    const { rows: last } = await own.pool.query<{ at: Date }>('select max(occurred_at) as at from event');
    expect((await read()).asOf).toBe(last[0]?.at.toISOString());
    expect(errors).toEqual([]);
  });
});
