import { AssociationTypes, Client } from '@hubspot/api-client';
import type { Answer } from '#libs/contracts';
import {
  contactProperties,
  HubspotAccounts,
  HubspotJournal,
  type HubspotWatch,
  type Rates,
} from '#libs/vendors/hubspot';
import { Watchdog } from './testing/children';
import { accountOf, newSecrets } from './testing/secrets';
import { until } from './testing/until';
import { type Sandbox, startSandbox } from './testing/vendors';

const secrets = newSecrets();
const account = accountOf({});
const watchdog = new Watchdog();
let hubspot: Sandbox;

beforeAll(async () => {
  const nowhere = { url: 'http://127.0.0.1:1', publicUrl: 'http://127.0.0.1:1' };
  hubspot = await startSandbox('hubspot', secrets, account, nowhere, {}, watchdog);
});
afterAll(async () => {
  await hubspot.child.stop();
  await watchdog.stop();
});
beforeEach(async () => {
  await hubspot.control('DELETE', '/calls');
  await hubspot.control('DELETE', '/faults');
});

const plan = { tier: 'professional', limitIncreases: 0, isOauth: false, timeZone: 'UTC' } as const;
const oauthPlan = { ...plan, isOauth: true };
const contacts = { object: 'contact', names: new Set(contactProperties.map(({ name }) => name)) };
const soon = () => AbortSignal.timeout(10_000);
const open = (watch: HubspotWatch = {}) =>
  new HubspotAccounts([{ baseUrl: hubspot.url, token: () => secrets.hubspotAccessToken, plan }], watch);
const person = async () =>
  (
    await hubspot.control<{ id: string }>('POST', '/ui/contacts', {
      properties: { email: `${String(Math.random()).slice(2)}@example.com` },
    })
  ).id;
const fault = (kind: object, pathPrefix = '/') =>
  hubspot.control('POST', '/faults', { match: { pathPrefix }, fault: kind });

const done = async <T>(answering: Promise<Answer<T>>): Promise<T> => {
  const answer = await answering;
  if (answer.outcome !== 'done') throw new Error(JSON.stringify(answer));
  return answer.value;
};

describe('every call', () => {
  // What ends in September 2027 is declared so: it has no later version.
  const declared = [
    /^\/[a-z-]+(\/[a-z]+)?\/2026-09(\/|$)/,
    /^\/integrators\/timeline\/2026-03\/events$/,
    /^\/webhooks-journal\/journal\/2026-03\/(earliest|latest|offset\/[^/]+\/next)$/,
    /^\/journal-files\//,
    /^\/oauth\/v2\/private-apps\/get\/access-token-info$/,
  ];

  it('goes to the version that is declared for its family', async () => {
    const accounts = open();
    await accounts.start();
    const client = accounts.of('default');
    const id = await person();
    const record = { type: 'contact', id };
    const email = 'ada@example.com';
    const signal = soon();
    await hubspot.control('PUT', '/lists/12', {});
    await done(client.read({ record, properties: ['email'], notes: 3 }, signal));
    await done(client.update({ record, properties: { city: 'Ulm' } }, signal));
    await Promise.all(
      (await client.updateTogether([{ record, properties: { city: 'Graz' } }], signal)).map((one) =>
        done(Promise.resolve(one)),
      ),
    );
    const task = { title: 'Call', dueAt: '2026-11-22T10:00:00Z' };
    const note = { text: 'Said', at: '2026-11-22T10:00:00Z' };
    for (const isRepeat of [false, true]) {
      await done(client.createTask({ record, task }, { reference: '3f9a2c41b07e5d88', isRepeat }, signal));
      await done(client.createNote({ record, note }, { reference: '3f9a2c41b07e5d89', isRepeat }, signal));
    }
    await done(client.changeList({ record, list: { list: '12', change: 'add' } }, signal));
    await done(
      client.setConsent({ record, consent: { subscription: '101', status: 'subscribed', email } }, true, signal),
    );
    await done(client.enrol({ record, sequence: { sequence: '7', sender: email, user: '1' } }, true, signal));
    const upsert = { object: 'contact', by: 'email', properties: { email: 'new@example.com', city: 'Bern' } };
    await done(client.upsert({ record, upsert }, signal));
    expect(await client.upsert({ record, upsert: { ...upsert, by: 'city' } }, signal)).toMatchObject({
      code: 'not-unique',
    });
    const event = { type: 'video_ready', properties: {}, at: '2026-11-22T10:00:00Z' };
    const once = { key: 'e1', reference: '3f9a2c41b07e5d90', isRepeat: true };
    await done(client.tellTimeline({ record, event }, 'events', once, signal));
    const company = { object: 'contact', by: 'email', value: 'new@example.com' };
    await done(client.upsert({ record, upsert: { ...upsert, associate: [company] } }, signal));
    await done(client.schemas(signal));
    await done(client.properties('contact', signal));
    await done(client.pipelines('deal', signal));
    await done(client.owners(signal));
    await done(client.prepare(await done(client.preparation(contacts, signal)), signal));
    await client.readChanged([{ record, at: '2026-11-22T10:00:00Z', properties: ['city'] }], signal);
    await hubspot.control('POST', '/journal/files');
    await done(journal().after((await done(journal().latest(signal))) ?? '', signal));
    await done(journal().earliest(signal));
    const calls = await hubspot.calls();
    expect(calls.length).toBeGreaterThan(25);
    const elsewhere = calls.map(({ path }) => path).filter((path) => !declared.some((one) => one.test(path)));
    expect(elsewhere).toEqual([]);
    // A route that is not there is answered with a page.
    expect(calls.filter((call) => typeof (call as { responseBody?: unknown }).responseBody === 'string')).toEqual([]);
  });
});

it.each([201, 202, 302])('takes a write that was answered with %i for one that may have been made', async (status) => {
  const record = { type: 'contact', id: await person() };
  await fault({ kind: 'status', status, body: { id: record.id, properties: {} } }, '/crm/objects/');
  const answer = await open()
    .of('default')
    .update({ record, properties: { city: 'Ulm' } }, soon());
  expect(answer).toMatchObject({ outcome: 'unknown', code: `http-${String(status)}` });
});

describe('the limits that HubSpot tells', () => {
  it('are handed on by tenant, of calls of either way; apps that were installed by OAuth have no day', async () => {
    const told: [string, Rates][] = [];
    const accounts = open({ rates: (tenant, rates) => told.push([tenant, rates]) });
    const record = { type: 'contact', id: await person() };
    await done(accounts.of('default').read({ record, properties: ['email'], notes: 0 }, soon()));
    const full = { most: 190, intervalMs: 10_000, dailyMost: 650_000 };
    expect(told).toEqual([['default', { ...full, remaining: expect.any(Number), dailyRemaining: expect.any(Number) }]]);
    const consent = { subscription: '101', status: 'subscribed', email: 'a@example.com' } as const;
    await done(accounts.of('default').setConsent({ record, consent }, false, soon()));
    expect(told).toHaveLength(2);
    told.length = 0;
    const installed = installation({ rates: (tenant, rates) => told.push([tenant, rates]) });
    await done(installed.of('acme').read({ record, properties: ['email'], notes: 0 }, soon()));
    expect(told).toEqual([['acme', { most: 190, intervalMs: 10_000, remaining: expect.any(Number) }]]);
  });
});

let refreshToken = '';
beforeAll(async () => {
  refreshToken = 'na1-refresh';
  await hubspot.control('PUT', '/tokens', { refreshToken });
});

function installation(watch: HubspotWatch = {}) {
  const token = {
    clientId: 'client',
    clientSecret: () => secrets.hubspotClientSecret,
    refreshToken: () => refreshToken,
  };
  return new HubspotAccounts([{ tenant: 'acme', baseUrl: hubspot.url, token, plan: oauthPlan }], watch);
}

const grants = async () => (await hubspot.calls()).filter(({ path }) => path === '/oauth/2026-09/token');

describe('an installation', () => {
  afterEach(() => hubspot.control('PUT', '/settings', { tokenLifeMs: 1_800_000, clockFactor: 1 }));

  it('gets one token for all calls that wait for it, and uses it until it ends', async () => {
    const client = installation().of('acme');
    const read = { record: { type: 'contact', id: await person() }, properties: ['email'], notes: 0 };
    await Promise.all(Array.from({ length: 5 }, () => done(client.read(read, soon()))));
    await done(client.read(read, soon()));
    expect(await grants()).toHaveLength(1);
  });

  it('renews a token ahead of its end, so that no call ever meets a 401', async () => {
    await hubspot.control('PUT', '/settings', { tokenLifeMs: 1_000 });
    const client = installation().of('acme');
    const read = { record: { type: 'contact', id: await person() }, properties: ['email'], notes: 0 };
    await until('the token was renewed twice', async () => {
      await done(client.read(read, soon()));
      return (await grants()).length >= 3;
    });
    expect((await hubspot.calls()).filter(({ status }) => status === 401)).toEqual([]);
  });

  it('gets another token after a 401, although the first should live still', async () => {
    await hubspot.control('PUT', '/settings', { clockFactor: 1_000_000 });
    const client = installation().of('acme');
    const read = { record: { type: 'contact', id: await person() }, properties: ['email'], notes: 0 };
    await until('the token has ended', async () => {
      const answer = await client.read(read, soon());
      return answer.outcome === 'retry' && answer.code === 'EXPIRED_AUTHENTICATION';
    });
    await hubspot.control('PUT', '/settings', { clockFactor: 1 });
    await done(client.read(read, soon()));
  });

  it('that is revoked refuses every call unprocessed, and tells so; it goes on when it is installed again', async () => {
    const taken: boolean[] = [];
    const client = installation({ token: (_tenant, isTaken) => taken.push(isTaken) }).of('acme');
    const read = { record: { type: 'contact', id: await person() }, properties: ['email'], notes: 0 };
    await hubspot.control('PUT', '/tokens', { refreshToken, revoked: true });
    expect(await client.read(read, soon())).toEqual({
      outcome: 'retry',
      code: 'BAD_REFRESH_TOKEN',
      message: expect.any(String),
      refused: true,
      afterMs: 60_000,
    });
    expect((await hubspot.calls()).filter(({ path }) => path.startsWith('/crm'))).toEqual([]);
    expect(taken).toEqual([false]);
    refreshToken = 'na1-another';
    await hubspot.control('PUT', '/tokens', { refreshToken });
    await done(client.read(read, soon()));
    expect(taken).toEqual([false, true]);
  });

  it('whose token cannot be renewed for now has made no call: it is tried again soon', async () => {
    const client = installation().of('acme');
    const read = { record: { type: 'contact', id: await person() }, properties: ['email'], notes: 0 };
    await fault({ kind: 'status', code: 'BAD_GATEWAY' }, '/oauth');
    expect(await client.read(read, soon())).toMatchObject({ code: 'token-not-refreshed', refused: true });
    await fault({ kind: 'reset' }, '/oauth');
    expect(await client.read(read, soon())).toMatchObject({ code: 'token-not-refreshed', refused: true });
    await done(client.read(read, soon()));
  });
});

describe('our own app', () => {
  it.each([
    ['a static token', () => open(), 'default'],
    ['an installation', () => installation(), 'acme'],
  ])('is told by HubSpot for %s', async (_, opened, tenant) => {
    const accounts = opened();
    expect(accounts.appId(tenant)).toBeUndefined();
    await accounts.start();
    expect(accounts.appId(tenant)).toBe(String(account.appId));
    expect(JSON.stringify(await hubspot.calls())).not.toContain(secrets.hubspotAccessToken);
  });

  it('is asked for again where HubSpot did not tell it, and keeps nobody from starting', async () => {
    await fault({ kind: 'status', status: 503 }, '/oauth');
    const accounts = open();
    await accounts.start(5);
    expect(accounts.appId('default')).toBeUndefined();
    await until('the app is known', () => accounts.appId('default') !== undefined);
    accounts.stop();
  });
});

it('refuses the calls of a tenant that is not declared, unprocessed, until it is', async () => {
  const record = { type: 'contact', id: '1' };
  expect(await installation().of('other').update({ record, properties: {} }, soon())).toMatchObject({
    outcome: 'retry',
    code: 'tenant-unknown',
    refused: true,
    afterMs: 60_000,
  });
  expect(await hubspot.calls()).toEqual([]);
});

describe('a portal', () => {
  it('shows its own types with their properties', async () => {
    const client = open().of('default');
    const schema = {
      name: 'car',
      labels: { singular: 'Car', plural: 'Cars' },
      properties: [{ name: 'plate', label: 'Plate', type: 'string', fieldType: 'text' }],
      requiredProperties: ['plate'],
      associatedObjects: ['CONTACT'],
    };
    const headers = { authorization: `Bearer ${secrets.hubspotAccessToken}`, 'content-type': 'application/json' };
    const url = `${hubspot.url}/crm-object-schemas/2026-09/schemas`;
    await fetch(url, { method: 'POST', headers, body: JSON.stringify(schema) });
    const [car] = await done(client.schemas(soon()));
    expect(car).toMatchObject({ name: 'car', objectTypeId: expect.stringMatching(/^2-\d+$/) });
    expect(car?.properties.map(({ name }) => name)).toContain('plate');
    const properties = await done(client.properties(car?.objectTypeId ?? '', soon()));
    expect(properties.find(({ name }) => name === 'plate')).toMatchObject({ type: 'string', fieldType: 'text' });
  });

  it('shows the properties of a type, its pipelines with their stages, and all pages of owners', async () => {
    const client = open().of('default');
    const stage = (await done(client.properties('contact', soon()))).find(({ name }) => name === 'lifecyclestage');
    expect(stage?.options).toHaveLength(8);
    const [pipeline] = await done(client.pipelines('deal', soon()));
    expect(pipeline?.stages.map(({ id }) => id)).toContain('closedwon');
    await hubspot.control('PUT', '/owners', { count: 250 });
    const owners = await done(client.owners(soon()));
    expect(new Set(owners.map(({ id }) => id)).size).toBe(250);
  });

  it('is prepared once: what it has otherwise is told, and never changed', async () => {
    const client = open().of('default');
    const calls = async () => (await hubspot.calls()).filter(({ method }) => method !== 'GET');
    await done(client.prepare(await done(client.preparation(contacts, soon())), soon()));
    await hubspot.control('DELETE', '/calls');
    const headers = { authorization: `Bearer ${secrets.hubspotAccessToken}`, 'content-type': 'application/json' };
    const change = (name: string, body: object) =>
      fetch(`${hubspot.url}/crm/properties/2026-09/contacts/${name}`, {
        method: 'PATCH',
        headers,
        body: JSON.stringify(body),
      });
    await change('lead_score', { type: 'string', fieldType: 'text', label: 'Points' });
    await change('heygen_render_status', { options: ['PENDING', 'FAILED'].map((value) => ({ label: value, value })) });
    await hubspot.control('DELETE', '/calls');
    const found = await done(client.preparation(contacts, soon()));
    expect(found).toEqual({
      object: 'contact',
      groups: [],
      properties: [],
      differing: [
        { name: 'heygen_render_status', is: 'enumeration without PROCESSING, COMPLETED', shouldBe: 'enumeration' },
        { name: 'lead_score', is: 'string', shouldBe: 'number' },
      ],
    });
    await done(client.prepare(found, soon()));
    expect(await calls()).toEqual([]);
  });

  it('gets on other types of records what is written there, and only that', async () => {
    const client = open().of('default');
    const wishes = { object: 'deal', names: new Set(['heygen_video_url', 'heygen_render_status']) };
    const found = await done(client.preparation(wishes, soon()));
    expect(found.groups.map(({ name }) => name)).toEqual(['video_automation']);
    expect(found.properties.map(({ name }) => name)).toEqual([...wishes.names]);
    await done(client.prepare(found, soon()));
    expect(await done(client.preparation(wishes, soon()))).toMatchObject({
      groups: [],
      properties: [],
      differing: [],
    });
    expect((await done(client.properties('deal', soon()))).map(({ name }) => name)).toContain('heygen_video_url');
  });
});

const journal = (clientSecret: string = secrets.hubspotClientSecret) =>
  new HubspotJournal({
    baseUrl: hubspot.url,
    clientId: `client-${String(account.appId)}`,
    clientSecret: () => clientSecret,
  });

describe('the journal', () => {
  const change = (id: string, city: string) => hubspot.control('PATCH', `/ui/contacts/${id}`, { properties: { city } });
  const write = () => hubspot.control('POST', '/journal/files');

  it('tells what changed and when, file by file up to its end, by one token', async () => {
    const id = await person();
    await write();
    const reader = journal();
    const offset = (await done(reader.latest(soon()))) ?? '';
    expect(await done(reader.after(offset, soon()))).toEqual({ isKnown: true });
    await change(id, 'Ulm');
    await write();
    const { file } = await done(reader.after(offset, soon()));
    expect(file).toMatchObject({
      others: 0,
      events: [{ portalId: account.portalId, object: 'contact', id, action: 'UPDATE', properties: ['city'] }],
    });
    expect(file?.events[0]).not.toHaveProperty('value');
    expect(await done(reader.after(file?.offset ?? '', soon()))).toEqual({ isKnown: true });
    expect(await grants()).toHaveLength(1);
  });

  it('says which offset is not known; a route that is not there is no such offset', async () => {
    const unknown = '00000000-0000-4000-a000-000000000000';
    expect(await done(journal().after(unknown, soon()))).toEqual({ isKnown: false });
    await fault({ kind: 'html', status: 404 }, '/webhooks-journal');
    expect(await journal().after(unknown, soon())).toMatchObject({ code: 'no-such-route', refused: true });
  });

  it('waits unprocessed without a scope, without the right secret, and for a file whose link has run out', async () => {
    await fault({ kind: 'status', code: 'MISSING_SCOPES' }, '/webhooks-journal');
    expect(await journal().latest(soon())).toMatchObject({ code: 'MISSING_SCOPES', outcome: 'retry', refused: true });
    expect(await journal('wrong').latest(soon())).toMatchObject({ code: 'no-token', outcome: 'retry', refused: true });
    await hubspot.control('PUT', '/journal', { urlLifeMs: 0 });
    expect(await journal().earliest(soon())).toMatchObject({ outcome: 'unknown', code: 'journal-file' });
    await hubspot.control('PUT', '/journal', { urlLifeMs: 300_000 });
    expect((await done(journal().earliest(soon()))).file).toBeDefined();
  });

  it('leaves what it cannot read, and says how much', async () => {
    const body = {
      offset: 'o',
      publishedAt: '2026-11-22T10:00:00Z',
      journalEvents: [{ type: 'appLifecycleEvent' }, 7],
    };
    await fault({ kind: 'status', status: 200, body }, '/journal-files');
    expect((await done(journal().earliest(soon()))).file).toMatchObject({ events: [], others: 2 });
    await fault({ kind: 'status', status: 200, body: { offset: 'o', events: [] } }, '/journal-files');
    expect(await journal().earliest(soon())).toMatchObject({ outcome: 'unknown', code: 'journal-file' });
  });
});

describe('records that changed', () => {
  it('are read in one call, each as it was then and by whom; one that is gone is none', async () => {
    const [id, gone] = [await person(), await person()];
    const patch = (city: string, changeSource: string) =>
      hubspot.control('PATCH', `/ui/contacts/${id}`, { properties: { city }, changeSource, sourceId: changeSource });
    await patch('Ulm', 'IMPORT');
    await patch('Graz', 'FORM');
    const { history } = await hubspot.control<{ history: { city: { value: string; timestamp: string }[] } }>(
      'GET',
      `/objects/contacts/${id}`,
    );
    const at = (value: string) => history.city.find((one) => one.value === value)?.timestamp ?? '';
    await hubspot.control('DELETE', `/ui/contacts/${gone}`);
    await hubspot.control('DELETE', '/calls');
    const ask = (of: string, time: string) => ({ record: { type: 'contact', id: of }, at: time, properties: ['city'] });
    const answers = await open()
      .of('default')
      .readChanged([ask(id, at('Ulm')), ask(id, at('Graz')), ask(gone, at('Ulm')), ask(id, later(at('Graz')))], soon());
    const said = (value: string, sourceType: string) => ({
      record: { id, properties: { city: { value, sourceType } } },
    });
    expect(await Promise.all(answers.map((answer) => done(Promise.resolve(answer))))).toMatchObject([
      said('Ulm', 'IMPORT'),
      said('Graz', 'FORM'),
      {},
      said('Graz', 'FORM'),
    ]);
    expect(await hubspot.calls()).toHaveLength(1);
  });

  const later = (time: string): string => new Date(Date.parse(time) + 60_000).toISOString();
});

describe('what is tied to a record', () => {
  // Making so many records is no part of what is tested.
  beforeAll(() => hubspot.control('PUT', '/rate-limit', { perTenSeconds: 10_000 }));
  afterAll(() => hubspot.control('PUT', '/rate-limit', { perTenSeconds: 190 }));

  const crm = () => new Client({ accessToken: secrets.hubspotAccessToken, basePath: hubspot.url }).crm;
  const call = (contact: string, day: number, properties: Record<string, string>) =>
    crm().objects.basicApi.create('calls', {
      properties: { hs_timestamp: `2026-11-${String(day).padStart(2, '0')}T10:00:00Z`, ...properties },
      associations: [
        {
          to: { id: contact },
          types: [
            { associationCategory: 'HUBSPOT_DEFINED' as never, associationTypeId: AssociationTypes.callToContact },
          ],
        },
      ],
    });
  const read = (id: string, most: Record<string, number>) =>
    open()
      .of('default')
      .read(
        {
          record: { type: 'contact', id },
          properties: [],
          notes: 0,
          context: { most, transcript: ['first', 'second'] },
        },
        soon(),
      );

  it('is the newest of it, of more than one batch holds too; its transcripts by one batch more', async () => {
    for (const name of ['first', 'second'])
      await crm().properties.coreApi.create('calls', {
        ...{ name, label: name, groupName: 'callinformation' },
        ...{ type: 'string' as never, fieldType: 'textarea' as never },
      });
    const id = await person();
    for (let n = 0; n < 101; n += 1) await call(id, 1, { hs_call_title: `call ${String(n)}` });
    await call(id, 5, { hs_call_title: 'Terms', first: 'We take', second: 'twenty seats' });
    await call(id, 3, { hs_call_title: 'Older', first: 'Hello' });
    await call(id, 9, { hs_call_title: 'Nobody there', hs_call_body: 'tried again' });
    await hubspot.control('DELETE', '/calls');
    const { context } = await done(read(id, { calls: 2, transcripts: 1 }));
    expect(context).toEqual({
      calls: [
        { at: '2026-11-09T10:00:00Z', title: 'Nobody there', text: 'tried again' },
        { at: '2026-11-05T10:00:00Z', title: 'Terms', text: '' },
      ],
      transcripts: [{ at: '2026-11-05T10:00:00Z', title: 'Terms', text: 'We take\ntwenty seats' }],
    });
    expect(await hubspot.calls()).toHaveLength(3);
  });

  it('is read as a whole or not at all', async () => {
    const id = await person();
    await call(id, 1, { hs_call_title: 'Intro' });
    await fault({ kind: 'status', status: 502 }, '/crm/objects/2026-09/0-48/batch/read');
    expect(await read(id, { calls: 1 })).toMatchObject({ outcome: 'unknown' });
    expect(await done(read(id, { calls: 1 }))).toMatchObject({ context: { calls: [{ title: 'Intro' }] } });
  });
});
