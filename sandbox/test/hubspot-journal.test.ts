import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { seededRandom } from '../src/frame/seeded-random.ts';
import { createHubspot } from '../src/hubspot/server.ts';
import { listening, type Sandbox } from './harness.ts';

const READ = 'developer.webhooks_journal.read';
const SUBSCRIPTIONS = 'developer.webhooks_journal.subscriptions';
const JOURNAL = '/webhooks-journal/journal/2026-03';
const DAY_MS = 86_400_000;

let hubspot: Sandbox;
let token: string;

before(async () => {
  const options = { clientSecret: 'test-secret', appId: 54321, accessToken: 'test-token', portalId: 62515 };
  hubspot = await listening(createHubspot({ ...options, retryScale: 0.01, random: seededRandom(5) }));
  token = await tokenFor(READ, `${SUBSCRIPTIONS}.read`, `${SUBSCRIPTIONS}.write`);
});
after(() => hubspot[Symbol.asyncDispose]());
beforeEach(async () => {
  await hubspot.control('DELETE', '/faults');
  await hubspot.control('PUT', '/journal', { eventsPerFile: 10_000, retentionMs: 3 * DAY_MS, urlLifeMs: 300_000 });
});

async function ask(over: Record<string, string>) {
  const form = { grant_type: 'client_credentials', client_id: 'client-54321', client_secret: 'test-secret', ...over };
  return fetch(`${hubspot.url}/oauth/2026-09/token`, { method: 'POST', body: new URLSearchParams(form) });
}

async function tokenFor(...scopes: string[]): Promise<string> {
  return ((await (await ask({ scope: scopes.join(' ') })).json()) as { access_token: string }).access_token;
}

async function call(
  path: string,
  { as = token, method = 'GET', body }: { as?: string; method?: string; body?: object } = {},
) {
  const headers = { authorization: `Bearer ${as}`, ...(body ? { 'content-type': 'application/json' } : {}) };
  const answer = await fetch(hubspot.url + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  const text = await answer.text();
  return { status: answer.status, body: text.startsWith('{') ? JSON.parse(text) : text, headers: answer.headers };
}

const contact = async (properties: Record<string, string>): Promise<string> =>
  (await hubspot.control<{ id: string }>('POST', '/ui/contacts', { properties })).id;

/** Empties the journal, as if three days had passed. */
async function forget(): Promise<void> {
  await hubspot.control('POST', '/journal/files');
  await hubspot.control('PUT', '/journal', { retentionMs: 0 });
  await hubspot.control('PUT', '/journal', { retentionMs: 3 * DAY_MS });
}

describe('the token of an app', () => {
  it('has no refresh token, and is good for the journal alone', async () => {
    const answer = await ask({ scope: READ });
    const { access_token, ...rest } = (await answer.json()) as { access_token: string };
    assert.deepEqual(rest, { expires_in: 1800, token_type: 'bearer', token_use: 'client_credentials' });
    assert.equal((await call('/crm/v3/objects/contacts', { as: access_token })).status, 401);
    assert.equal((await call(`${JOURNAL}/earliest`, { as: 'test-token' })).status, 401);
  });

  it('is refused to a wrong secret or client', async () => {
    for (const [over, status] of [
      [{ client_secret: 'wrong' }, 'BAD_CLIENT_SECRET'],
      [{ client_id: 'client-1' }, 'BAD_CLIENT_ID'],
    ] as const) {
      const answer = await ask({ scope: READ, ...over });
      assert.deepEqual([answer.status, ((await answer.json()) as { status: string }).status], [400, status]);
    }
  });

  it('needs the scope of what is called', async () => {
    const cases = [
      [`${JOURNAL}/latest`, 'GET', READ],
      ['/webhooks-journal/subscriptions/2026-03', 'GET', `${SUBSCRIPTIONS}.read`],
      ['/webhooks-journal/subscriptions/2026-03/1', 'DELETE', `${SUBSCRIPTIONS}.write`],
    ] as const;
    const other = await tokenFor('oauth');
    for (const [path, method, scope] of cases) {
      const { status, body } = await call(path, { as: other, method });
      assert.deepEqual([status, body.category], [403, 'MISSING_SCOPES']);
      assert.deepEqual(body.errors[0].context.requiredGranularScopes, [scope]);
    }
  });
});

describe('the journal', () => {
  beforeEach(forget);

  it('is empty, then tells of each change in files that follow one another, by signed links', async () => {
    for (const end of ['earliest', 'latest']) assert.equal((await call(`${JOURNAL}/${end}`)).status, 204);
    const id = await contact({ firstname: 'Ada' });
    await hubspot.control('POST', '/journal/files');
    await hubspot.control('PATCH', `/ui/contacts/${id}`, { properties: { city: 'Ulm', jobtitle: 'Engineer' } });
    await hubspot.control('DELETE', `/ui/contacts/${id}`);
    await hubspot.control('POST', '/journal/files');
    const first = (await call(`${JOURNAL}/earliest`)).body;
    assert.deepEqual(Object.keys(first).sort(), ['currentOffset', 'expiresAt', 'url']);
    const file = (await (await fetch(first.url)).json()) as { offset: string; journalEvents: any[] };
    assert.equal(file.offset, first.currentOffset);
    const about = { type: 'crmObject', portalId: 62515, objectTypeId: '0-1', objectId: Number(id) };
    const told = file.journalEvents.filter(({ action }) => action === 'CREATE');
    assert.deepEqual(
      told.map(({ occurredAt, propertyChanges, ...rest }) => [rest, propertyChanges.firstname, typeof occurredAt]),
      [[{ ...about, action: 'CREATE' }, 'Ada', 'string']],
    );
    const next = (await call(`${JOURNAL}/offset/${first.currentOffset}/next`)).body;
    const events = ((await (await fetch(next.url)).json()) as { journalEvents: any[] }).journalEvents;
    assert.deepEqual(
      events.map(({ action, propertyChanges = {} }) => [action, propertyChanges]),
      [
        ['UPDATE', { city: 'Ulm', jobtitle: 'Engineer' }],
        ['DELETE', {}],
      ],
    );
    assert.equal((await call(`${JOURNAL}/latest`)).body.currentOffset, next.currentOffset);
    assert.equal((await call(`${JOURNAL}/offset/${next.currentOffset}/next`)).status, 204);
  });

  it('is written whether or not webhooks are, in files of at most so many events', async () => {
    await hubspot.control('PUT', '/subscriptions', { subscriptions: [] });
    await hubspot.control('PUT', '/journal', { eventsPerFile: 2, collectMs: 60_000 });
    for (const city of ['Ulm', 'Graz', 'Bern']) await contact({ city });
    const { files } = await hubspot.control('POST', '/journal/files');
    assert.deepEqual(
      files.map(({ events }: { events: number }) => events),
      [2, 1],
    );
    await hubspot.control('PUT', '/journal', { collectMs: 50 });
    await hubspot.control('PUT', '/subscriptions', {});
  });

  it('forgets after its days, and does not know an offset then; a link ends sooner', async () => {
    await contact({ city: 'Ulm' });
    await hubspot.control('POST', '/journal/files');
    await hubspot.control('PUT', '/journal', { urlLifeMs: 0 });
    const { url, currentOffset } = (await call(`${JOURNAL}/earliest`)).body;
    assert.equal((await fetch(url)).status, 403);
    assert.equal((await fetch(url.replace(/signature=./, 'signature=x'))).status, 403);
    await forget();
    const gone = await call(`${JOURNAL}/offset/${currentOffset}/next`);
    assert.deepEqual([gone.status, gone.body.category], [404, 'OBJECT_NOT_FOUND']);
    assert.equal((await call(`${JOURNAL}/earliest`)).status, 204);
  });

  it('counts in no limit, and meets faults as every call does', async () => {
    await hubspot.control('PUT', '/rate-limit', { perTenSeconds: 1, daily: 1 });
    for (let n = 0; n < 5; n += 1) {
      const { status, headers } = await call(`${JOURNAL}/earliest`);
      assert.deepEqual([status, headers.get('x-hubspot-ratelimit-max')], [204, null]);
    }
    await hubspot.control('PUT', '/rate-limit', { perTenSeconds: 190, daily: 650_000 });
    const match = { pathPrefix: JOURNAL };
    await hubspot.control('POST', '/faults', { match, fault: { kind: 'status', code: 'MISSING_SCOPES' } });
    assert.equal((await call(`${JOURNAL}/earliest`)).status, 403);
    assert.equal((await call(`${JOURNAL}/earliest`)).status, 204);
  });
});

describe('subscriptions to the journal', () => {
  const path = '/webhooks-journal/subscriptions/2026-03';

  it('say which changes it tells of', async () => {
    await call(`${path}/portals/62515`, { method: 'DELETE' });
    const asked = {
      subscriptionType: 'OBJECT',
      objectTypeId: '0-1',
      portalId: 62515,
      actions: ['UPDATE'],
      properties: ['city'],
    };
    const made = (await call(path, { method: 'POST', body: asked })).body;
    assert.deepEqual([made.appId, made.properties, typeof made.id], [54321, ['city'], 'number']);
    assert.deepEqual((await call(path)).body.results, [made]);
    await forget();
    const id = await contact({ city: 'Ulm' });
    await hubspot.control('PATCH', `/ui/contacts/${id}`, { properties: { jobtitle: 'Engineer' } });
    await hubspot.control('PATCH', `/ui/contacts/${id}`, { properties: { city: 'Graz', jobtitle: 'Head' } });
    await hubspot.control('POST', '/journal/files');
    const { url } = (await call(`${JOURNAL}/earliest`)).body;
    const { journalEvents } = (await (await fetch(url)).json()) as { journalEvents: any[] };
    assert.deepEqual(
      journalEvents.map(({ propertyChanges }) => propertyChanges),
      [{ city: 'Graz' }],
    );
    assert.equal((await call(`${path}/${made.id}`, { method: 'DELETE' })).status, 204);
    assert.equal((await call(`${path}/${made.id}`, { method: 'DELETE' })).status, 404);
  });

  it('are refused where they are of another kind, or incomplete', async () => {
    for (const body of [{ subscriptionType: 'SOMETHING' }, { subscriptionType: 'OBJECT', objectTypeId: '0-1' }])
      assert.equal((await call(path, { method: 'POST', body })).status, 400);
  });
});
