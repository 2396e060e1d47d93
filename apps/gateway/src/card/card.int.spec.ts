import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  crmEvents,
  type Catalog,
  type DomainEvent,
  enrichmentEvents,
  RENDER_ASKED,
  renderEvents,
  Topic,
  topics,
  VERIFIED,
  wireType,
} from '#libs/contracts';
import { cardsModel, Projector, readModelState } from '#libs/event-store';
import type { IncomingRecord } from '#libs/log';
import { type RunningApp, startApp } from '#libs/platform';
import { append } from '../../../../libs/event-store/src/testing/appending';
import { testDatabase, type TestDatabase } from '../../../../libs/event-store/src/testing/test-database';
import { until } from '../../../../libs/event-store/src/testing/until';
import { createTopics, testConnection, TopicReader } from '../../../../libs/log/src/testing/log-fixture';
import { appModule } from '../app.module';
import { gatewayConfig } from '../gateway.config';
import { testSettings } from '../testing/signed';
import type { Card } from './card-answer';
import type { ClassicCard } from './classic';

const connection = testConnection('cards');
const folder = mkdtempSync(join(tmpdir(), 'cards-'));
const tenantsFile = join(folder, 'connections.yaml');
writeFileSync(
  tenantsFile,
  `- { door: hubspot, connection: one, app: 1, secretEnv: SECRET_ONE,
       tenants: [{ tenant: acme, portals: [101] }, { tenant: globex, portals: [102] }] }
   - { door: hubspot, connection: two, app: 2, secretEnv: SECRET_TWO, signatures: [v3, v2, v1],
       tenants: [{ tenant: initech, portals: [201] }] }
  `.replace(/^ {3}-/gm, '-'),
);

let db: TestDatabase;
let log: TopicReader;
let gateway: RunningApp;
let other: RunningApp;
let projector: Projector;
const errors: unknown[] = [];

const start = (over: Record<string, string | undefined> = {}) =>
  startApp(
    { name: 'gateway', config: gatewayConfig, module: appModule },
    {
      ...testSettings,
      KAFKA_BROKERS: connection.brokers.join(','),
      TOPIC_PREFIX: connection.topicPrefix,
      TENANTS_FILE: tenantsFile,
      SECRET_ONE: 'secret-one',
      SECRET_TWO: 'secret-two',
      DATABASE_URL: db.url,
      ...over,
    },
  );

beforeAll(async () => {
  db = await testDatabase();
  projector = new Projector(db.pool, cardsModel, 'test', (error) => errors.push(error), 5);
  projector.start();
  await createTopics(connection, topics);
  [gateway, other] = await Promise.all([start(), start()]);
  log = new TopicReader(connection, Topic.ingressHubspot);
});
afterAll(async () => {
  await Promise.all([gateway.close(), other.close()]);
  await log.close();
  await projector.stop();
  await db.drop();
  rmSync(folder, { recursive: true });
  expect(errors).toEqual([]);
});

interface How {
  body?: string;
  secret?: string;
  at?: number;
  /** What is sent instead of the signature. */
  signature?: string;
  to?: RunningApp;
}

// Of the twelve codes that HubSpot decodes before it signs, the one that stands in these addresses.
const asSigned = (url: string): string => url.replaceAll('%40', '@');

/** Calls as HubSpot's proxy does. */
function call(method: 'GET' | 'POST', path: string, how: How = {}): Promise<Response> {
  const { body = '', secret = 'secret-one', at = Date.now(), to = gateway } = how;
  const signed = `${method}${asSigned(testSettings.PUBLIC_URL + path)}${body}${at}`;
  const signature = how.signature ?? createHmac('sha256', secret).update(signed).digest('base64');
  const headers = {
    'x-hubspot-signature-v3': signature,
    'x-hubspot-request-timestamp': String(at),
    ...(body === '' ? {} : { 'content-type': 'application/json' }),
  };
  return fetch(to.url + path, { method, headers, ...(body === '' ? {} : { body }) });
}

const query = (portal: number, app = 1) => `?userId=42&userEmail=jo%40x.test&portalId=${portal}&appId=${app}`;
const cardAt = (id: string, portal = 101) => `/cards/hubspot/contact/${id}${query(portal)}`;
const cardOf = async (id: string, portal = 101): Promise<Card> =>
  (await call('GET', cardAt(id, portal))).json() as never;
const ask = (id: string, wish: unknown, how: How & { portal?: number } = {}) =>
  call('POST', `/cards/hubspot/contact/${id}/renders${query(how.portal ?? 101)}`, {
    body: typeof wish === 'string' ? wish : JSON.stringify(wish),
    ...how,
  });
const codeOf = async (answer: Response | Promise<Response>) => {
  const got = await answer;
  const { code, title } = (await got.json()) as { code?: string; title?: string };
  expect(got.headers.get('content-type')).toBe('application/problem+json');
  expect(title).not.toBe('');
  return [got.status, code];
};

const T1 = '2026-11-20T10:00:00.000Z';
const versions = new Map<string, number>();
/** Appends what services decided, and waits until the cards say it. */
async function happened(tenant: string, subject: string, ...events: [Catalog, DomainEvent][]): Promise<void> {
  for (const [of, event] of events) {
    const streamId = `${of === crmEvents ? 'record' : of.context}-${tenant}:${subject}${of === crmEvents ? '' : ':lead'}`;
    const version = (versions.get(streamId) ?? 0) + 1;
    versions.set(streamId, version);
    const meta = { rootCause: 'c', causedBy: 'c' };
    await append(db.pool, [{ streamId, version, tenant, subject, type: wireType(of, event), data: event.data, meta }]);
  }
  await until(async () => {
    const { live, last } = await readModelState(db.pool, 'cards');
    return live !== undefined && live.position >= last;
  });
}

const about = (n: number) => ({ recipe: 'lead', recipeVersion: 'v', render: n, triggeredAt: T1 });
const requested = (n: number): [Catalog, DomainEvent] => [
  renderEvents,
  { type: 'RenderRequested', data: { ...about(n), rootCause: `c${n}`, content: 'x' } },
];
const submitted = (n: number): [Catalog, DomainEvent] => [
  renderEvents,
  { type: 'RenderSubmitted', data: { ...about(n), generation: 1, videoId: `v-${n}` } },
];
const completed = (n: number): [Catalog, DomainEvent] => [
  renderEvents,
  { type: 'RenderCompleted', data: { ...about(n), videoId: `v-${n}`, url: `https://v.example.test/${n}` } },
];
const failed = (n: number): [Catalog, DomainEvent] => [
  renderEvents,
  { type: 'RenderFailed', data: { ...about(n), videoId: `v-${n}`, code: 'insufficient_credit', reason: 'no' } },
];
const answered = (n: number, answer: Record<string, unknown>, recipe = 'lead'): [Catalog, DomainEvent] => [
  enrichmentEvents,
  {
    type: 'EnrichmentCompleted',
    data: {
      recipe,
      recipeVersion: 'v',
      enrichment: n,
      triggeredAt: T1,
      ask: 'qualification',
      model: 'm',
      answer,
      tokens: { input: 100, output: 10 },
    },
  },
];
const fetched = (step: string, fields: Record<string, unknown>): [Catalog, DomainEvent] => [
  enrichmentEvents,
  {
    type: 'FetchCompleted',
    data: {
      recipe: 'lead',
      recipeVersion: 'v',
      step,
      fetch: 1,
      triggeredAt: T1,
      system: 'billing',
      status: 200,
      fields,
    },
  },
];

let last = 1_000;
const someone = () => String((last += 1));
const rendered = async (id: string, tenant = 'acme') =>
  happened(tenant, `contact:${id}`, requested(1), submitted(1), completed(1));
const time = expect.stringMatching(/^2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;

describe('a card', () => {
  it('says what is known of its record', async () => {
    const id = someone();
    const answer = {
      lead_score: 59,
      sentiment: 0.8,
      budget: 50_000,
      summary: 'Keen.',
      evidence: ['asked for a price'],
    };
    await happened(
      'acme',
      `contact:${id}`,
      requested(1),
      submitted(1),
      answered(1, answer),
      fetched('plan', { plan: 'pro', seats: 5 }),
      failed(1),
    );
    const got = await call('GET', cardAt(id));
    expect(got.status).toBe(200);
    const error = {
      code: 'insufficient_credit',
      says: 'HeyGen’s account has no credits left.',
      remedy: 'Add credits at HeyGen: what waits goes on by itself.',
    };
    expect(await got.json()).toEqual({
      record: { type: 'contact', id },
      asOf: time,
      videos: [
        {
          recipe: 'lead',
          render: 1,
          status: 'FAILED',
          at: time,
          videoId: 'v-1',
          url: null,
          error,
          cost: { credits: 1 },
          again: { cost: { credits: 1 } },
        },
      ],
      enrichments: [
        {
          recipe: 'lead',
          ask: 'qualification',
          status: 'COMPLETED',
          at: time,
          model: 'm',
          score: 59,
          sentiment: 0.8,
          summary: 'Keen.',
          reasons: [],
          evidence: ['asked for a price'],
          facts: [{ label: 'budget', value: '50000' }],
          error: null,
          cost: { inputTokens: 100, outputTokens: 10 },
        },
      ],
      external: [
        {
          recipe: 'lead',
          step: 'plan',
          system: 'billing',
          at: time,
          fields: [
            { label: 'plan', value: 'pro' },
            { label: 'seats', value: '5' },
          ],
          error: null,
        },
      ],
      lastError: { of: 'video', ...error, at: time },
      spent: { credits: 1, inputTokens: 100, outputTokens: 10 },
    } satisfies Card);
  });

  it('is empty of a record of which nothing is known', async () => {
    expect(await cardOf('1')).toEqual({
      record: { type: 'contact', id: '1' },
      asOf: time,
      videos: [],
      enrichments: [],
      external: [],
      lastError: null,
      spent: { credits: 0, inputTokens: 0, outputTokens: 0 },
    });
  });

  it('may be asked for by HubSpot’s own ids of types, and of contacts, companies and deals alone', async () => {
    const at = (type: string) => call('GET', `/cards/hubspot/${type}/1${query(101)}`);
    expect((await (await at('0-3')).json()) as Card).toMatchObject({ record: { type: 'deal', id: '1' } });
    expect(await codeOf(at('ticket'))).toEqual([404, 'not-found']);
    expect(await codeOf(call('GET', `/cards/hubspot/contact/1x${query(101)}`))).toEqual([400, 'bad-request']);
  });

  it('of a huge record stays below a megabyte, and says what was left out', async () => {
    const id = someone();
    const long = 'ü"'.repeat(2_500);
    const many = Array.from({ length: 150 }, () => long);
    const fields = Object.fromEntries(many.map((text, i) => [`field ${i} ${long}`, text]));
    const models = (i: number) =>
      answered(1, { summary: long, reasons: many, evidence: many, ...fields }, `model-${i}`);
    await happened(
      'acme',
      `contact:${id}`,
      ...Array.from({ length: 110 }, (_, i) => fetched(`step-${i}`, { plan: 'pro', long })),
      ...Array.from({ length: 30 }, (_, i) => models(i)),
      requested(1),
      failed(1),
    );
    const got = await call('GET', cardAt(id));
    const text = await got.text();
    expect([got.status, Buffer.byteLength(text) < 1_000_000]).toEqual([200, true]);
    const card = JSON.parse(text) as Card;
    expect(card.cut).toMatch(/^More is known than one card holds: the \d+ oldest entries were left out\.$/);
    expect(card.enrichments[0]?.summary).toMatch(/\(\d+ more characters\)$/);
    expect(card.enrichments[0]?.reasons.at(-1)).toBe('… and 148 more');
    expect(card.videos).toMatchObject([{ status: 'FAILED' }]);
  }, 60_000);
});

describe('who may see it', () => {
  let id: string;
  beforeAll(async () => {
    id = someone();
    await rendered(id);
  });

  it('is HubSpot, for whoever stands before the card, by v3 alone and lately', async () => {
    const path = cardAt(id);
    const v2 = createHash('sha256').update(`secret-twoGET${testSettings.PUBLIC_URL}${path}`).digest('hex');
    const older = (version: string, signature: string) =>
      fetch(gateway.url + path, {
        headers: { 'x-hubspot-signature-version': version, 'x-hubspot-signature': signature },
      });
    const v1 = createHash('sha256').update('secret-two').digest('hex');
    expect(await codeOf(fetch(gateway.url + path))).toEqual([401, 'signature-missing']);
    expect(await codeOf(older('v2', v2))).toEqual([401, 'signature-missing']);
    expect(await codeOf(older('v1', v1))).toEqual([401, 'signature-missing']);
    expect(await codeOf(call('GET', path, { signature: 'A'.repeat(43) + '=' }))).toEqual([401, 'signature-mismatch']);
    expect(await codeOf(call('GET', path, { secret: 'secret' }))).toEqual([401, 'signature-mismatch']);
    expect(await codeOf(call('GET', path, { at: Date.now() - 301_000 }))).toEqual([401, 'timestamp-stale']);
    expect(await codeOf(call('GET', path, { at: Date.now() + 301_000 }))).toEqual([401, 'timestamp-stale']);
  });

  it('is not who signs with one app’s secret and names another’s portal', async () => {
    expect(await codeOf(call('GET', cardAt(id), { secret: 'secret-two' }))).toEqual([403, 'forbidden']);
    expect(await codeOf(call('GET', cardAt(id, 999)))).toEqual([403, 'forbidden']);
    const foreignApp = `/cards/hubspot/contact/${id}?portalId=101&appId=7`;
    expect(await codeOf(call('GET', foreignApp))).toEqual([403, 'forbidden']);
  });

  it('is not who puts another portal into the address before HubSpot puts its own behind', async () => {
    for (const made of ['portalId=101', 'portal%49d=101', 'portalId=']) {
      const path = `/cards/hubspot/contact/${id}?${made}&userId=42&portalId=102`;
      expect(await codeOf(call('GET', path))).toEqual([400, 'bad-request']);
    }
    expect(await codeOf(call('GET', `/cards/hubspot/contact/${id}?userId=42`))).toEqual([400, 'bad-request']);
    expect(await codeOf(call('GET', `/cards/hubspot/contact/${id}?portalId=101x`))).toEqual([400, 'bad-request']);
  });

  it('is not another tenant of the same app', async () => {
    expect((await cardOf(id)).videos).toHaveLength(1);
    expect((await cardOf(id, 102)).videos).toEqual([]);
    expect(await codeOf(ask(id, { recipe: 'lead', after: 1 }, { portal: 102 }))).toEqual([404, 'render-unknown']);
  });
});

describe('asking for one more render', () => {
  const asksFor = (id: string) => (record: IncomingRecord) => record.key === `acme:contact:${id}`;

  it('brings it to the log, as one and the same wish however often and to whichever gateway', async () => {
    const id = someone();
    await rendered(id);
    const wish = { recipe: 'lead', after: 1 };
    const answers = await Promise.all([gateway, other, gateway, other].map((to) => ask(id, wish, { to })));
    for (const answer of answers) expect([answer.status, await answer.json()]).toEqual([202, { asked: true }]);
    const records = await log.until(4, asksFor(id));
    const [first] = records;
    expect(new Set(records.map(({ envelope }) => envelope?.id))).toEqual(new Set([first?.envelope?.id]));
    expect(first?.envelope).toMatchObject({
      type: RENDER_ASKED,
      tenant: 'acme',
      subject: `contact:${id}`,
      source: '/hubspot/one',
      correlationid: first?.envelope?.id,
    });
    expect(JSON.parse(first?.value.toString() ?? '')).toEqual({
      record: { type: 'contact', id },
      recipe: 'lead',
      after: 1,
      by: 'hubspot-user:42',
    });
    expect(first?.headers[VERIFIED]).toMatch(
      /^hubspot-v3 POST https:\/\/hub\.example\.test\/cards\/hubspot\/contact\/\d+\/renders at \d{13} sha256:[0-9a-f]{64}$/,
    );
    expect(JSON.stringify(records.map(({ value, headers }) => [value.toString(), headers]))).not.toContain('jo@');
  });

  it('is refused with its reason where it makes no sense, and publishes nothing then', async () => {
    const id = someone();
    const wish = (after: number, recipe = 'lead') => ask(id, { recipe, after });
    expect(await codeOf(wish(1))).toEqual([404, 'render-unknown']);
    await happened('acme', `contact:${id}`, requested(1));
    expect(await codeOf(wish(1))).toEqual([409, 'render-refused']);
    expect((await cardOf(id)).videos).toMatchObject([
      { again: { refused: expect.stringContaining('still') as string } },
    ]);
    await happened('acme', `contact:${id}`, submitted(1), completed(1), requested(2), failed(2));
    expect(await codeOf(wish(1))).toEqual([409, 'render-moved-on']);
    expect(await codeOf(wish(3))).toEqual([404, 'render-unknown']);
    expect(await codeOf(wish(2, 'other'))).toEqual([404, 'render-unknown']);
    expect(await codeOf(ask(id, 'hello'))).toEqual([400, 'not-json']);
    for (const body of [
      '{}',
      '[]',
      { recipe: 'lead', after: 0 },
      { recipe: 7, after: 1 },
      { recipe: 'lead', after: '2' },
    ])
      expect(await codeOf(ask(id, body))).toEqual([400, 'wrong-shape']);
    const deleted = { type: 'RecordDeleted', data: { records: [{ type: 'contact', id }], at: T1 } };
    await happened('acme', `contact:${id}`, [crmEvents, deleted]);
    expect(await codeOf(wish(2))).toEqual([409, 'render-refused']);
    const forged = ask(id, { recipe: 'lead', after: 2 }, { secret: 'secret' });
    expect(await codeOf(forged)).toEqual([401, 'signature-mismatch']);
    // A later one is there; of all these, none.
    const marker = someone();
    await rendered(marker);
    await ask(marker, { recipe: 'lead', after: 1 });
    await log.until(1, asksFor(marker));
    expect(log.records.filter(asksFor(id))).toEqual([]);
  });

  it('of a record that another was merged into names the one whose render it was', async () => {
    const [gone, into] = [someone(), someone()];
    await rendered(gone);
    const merge = {
      type: 'RecordMerged',
      data: { records: [{ type: 'contact', id: gone }], into: { type: 'contact', id: into }, at: T1 },
    };
    await happened('acme', `contact:${gone}`, [crmEvents, merge]);
    expect((await cardOf(gone)).videos).toEqual([]);
    expect((await cardOf(into)).videos).toMatchObject([{ status: 'COMPLETED', url: 'https://v.example.test/1' }]);
    expect((await ask(into, { recipe: 'lead', after: 1 })).status).toBe(202);
    const [record] = await log.until(1, asksFor(gone));
    expect(JSON.parse(record?.value.toString() ?? '')).toMatchObject({ record: { type: 'contact', id: gone } });
  });
});

describe('without its database', () => {
  const answers = async (over: Record<string, string | undefined>) => {
    const without = await start(over);
    try {
      const got = await call('GET', cardAt('1'), { to: without });
      const again = got.headers.get('retry-after');
      expect(await codeOf(call('GET', cardAt('1'), { to: without, secret: 'secret' }))).toEqual([
        401,
        'signature-mismatch',
      ]);
      return [...(await codeOf(got)), again];
    } finally {
      await without.close();
    }
  };

  it('answers that there are no cards where none is set', async () => {
    expect(await answers({ DATABASE_URL: undefined })).toEqual([404, 'cards-off', null]);
  });

  it('answers 503 and when to come again while it is away', async () => {
    expect(await answers({ DATABASE_URL: 'postgresql://127.0.0.1:1/x' })).toEqual([503, 'cards-unavailable', '5']);
  });

  it('answers 503 where it takes the question and says nothing', async () => {
    const sockets = new Set<{ destroy(): void }>();
    const silent = createServer((socket) => void sockets.add(socket));
    await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    expect(await answers({ DATABASE_URL: `postgresql://127.0.0.1:${port}/x` })).toEqual([
      503,
      'cards-unavailable',
      '5',
    ]);
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  it('answers 503 until the read model is built, and while it is locked', async () => {
    const empty = await testDatabase();
    expect(await answers({ DATABASE_URL: empty.url })).toEqual([503, 'cards-unavailable', '5']);
    await empty.drop();
    const holder = await db.pool.connect();
    await holder.query('begin; lock table cards.part in access exclusive mode');
    expect(await codeOf(call('GET', cardAt('1')))).toEqual([503, 'cards-unavailable']);
    expect(await codeOf(ask('1', { recipe: 'lead', after: 1 }))).toEqual([503, 'cards-unavailable']);
    await holder.query('rollback');
    holder.release();
    expect((await call('GET', cardAt('1'))).status).toBe(200);
  });
});

describe('a classic card', () => {
  const path = (id: string, portal: number) =>
    `/cards/hubspot/classic?userId=42&userEmail=jo%40x.test&associatedObjectId=${id}&associatedObjectType=CONTACT&portalId=${portal}&firstname=Zo%C3%AB`;
  const byV2 = (at: string, secret: string) =>
    fetch(gateway.url + at, {
      headers: {
        'x-hubspot-signature-version': 'v2',
        'x-hubspot-signature': createHash('sha256').update(`${secret}GET${testSettings.PUBLIC_URL}${at}`).digest('hex'),
      },
    });

  it('says the same in the shape of old, by v2 where that is accepted', async () => {
    const id = someone();
    await rendered(id, 'initech');
    await happened('initech', `contact:${id}`, answered(1, { lead_score: 59, next: 'call' }), failed(2));
    const got = await byV2(path(id, 201), 'secret-two');
    expect(got.status).toBe(200);
    const { results } = (await got.json()) as ClassicCard;
    expect(results).toEqual([
      {
        objectId: expect.any(Number) as number,
        title: 'Video of lead',
        properties: [
          { label: 'Status', dataType: 'STRING', value: 'FAILED' },
          { label: 'As of', dataType: 'STRING', value: time },
          {
            label: 'Error',
            dataType: 'STRING',
            value: 'HeyGen’s account has no credits left. Add credits at HeyGen: what waits goes on by itself.',
          },
        ],
      },
      {
        objectId: expect.any(Number) as number,
        title: 'Score by lead',
        properties: [
          { label: 'Status', dataType: 'STRING', value: 'COMPLETED' },
          { label: 'As of', dataType: 'STRING', value: time },
          { label: 'Score', dataType: 'NUMERIC', value: '59' },
          { label: 'next', dataType: 'STRING', value: 'call' },
        ],
      },
    ]);
    expect((await call('GET', path(id, 201).replace('%C3%AB', 'e'), { secret: 'secret-two' })).status).toBe(200);
  });

  it('is refused by v2 where that is not accepted, and by v1 anywhere', async () => {
    expect(await codeOf(byV2(path('1', 101), 'secret-one'))).toEqual([401, 'signature-mismatch']);
    const v1 = createHash('sha256').update('secret-two').digest('hex');
    const headers = { 'x-hubspot-signature-version': 'v1', 'x-hubspot-signature': v1 };
    expect(await codeOf(fetch(gateway.url + path('1', 201), { headers }))).toEqual([401, 'signature-missing']);
    expect(await codeOf(byV2(path('1', 101), 'secret-two'))).toEqual([403, 'forbidden']);
  });
});
