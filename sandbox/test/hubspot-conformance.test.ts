/**
 * What the sandbox owes to be taken for HubSpot, line by line; a line that another file shows is named with its test.
 *
 * 1. Paths of every version, exact success codes, pages for unknown routes: here; codes of batches: hubspot-crm "batches".
 * 2. Webhooks: here the calls in flight; hubspot-webhooks "split into batches of at most 100", "come again, re-signed and
 *    counted", "give up on a receiver that is too slow", "can be doubled, shuffled, generic, or collide in their ids",
 *    "properties before the creation", "tell both sides of an association, deletion with privacy deletion, and a merge".
 * 3. Signatures: here the encoded query; hubspot-webhooks "signatures", "are sent as a single object by a workflow".
 * 4. Sources of changes: here workflows; hubspot-webhooks "name the app as the source of the app's own writes".
 * 5. Limits: here; hubspot-crm "answers 429 with policy names and headers".
 * 6. Search: here its lag and its ends; hubspot-crm "filters, within the documented limits, and lags".
 * 7. Errors and tokens: here; 207 and 409: hubspot-crm "batches", "refuse what the vendor refuses".
 * 8. Values: here.
 *
 * Beside these: merges, history, paging, schemas. The webhooks journal: hubspot-journal.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'node:test';
import { Client } from '@hubspot/api-client';
import { seededRandom } from '../src/frame/seeded-random.ts';
import { createHubspot } from '../src/hubspot/server.ts';
import { listening, Receiver, type Sandbox, until } from './harness.ts';

let hubspot: Sandbox;
let client: Client;
let receiver: Receiver;
let receiverUrl: string;

before(async () => {
  const random = seededRandom(3);
  const app = { clientSecret: 'test-secret', appId: 54321, accessToken: 'test-token', portalId: 62515 };
  const developerKey = 'test-developer-key';
  hubspot = await listening(createHubspot({ ...app, developerKey, retryScale: 0.01, random }));
  client = new Client({ accessToken: 'test-token', basePath: hubspot.url });
  receiver = new Receiver();
  receiverUrl = await receiver.start();
  await hubspot.control('PUT', '/target', { url: receiverUrl });
});
after(async () => {
  await receiver[Symbol.asyncDispose]();
  await hubspot[Symbol.asyncDispose]();
});

let counter = 0;
const contact = (properties: Record<string, string> = {}) =>
  client.crm.contacts.basicApi.create({
    properties: { email: `person${++counter}@example.com`, firstname: 'Ada', ...properties },
    associations: [],
  });
const eventsOf = (kind: string) => receiver.events.filter((event) => event.subscriptionType === kind);

describe('merges', () => {
  afterEach(() => hubspot.control('PUT', '/settings', { mergesMakeNew: true }));

  it('make a new record, to which every former id and address leads, also after a further merge', async () => {
    const [a, b, c] = [await contact({ city: 'Ulm' }), await contact({ jobtitle: 'Engineer' }), await contact()];
    const { basicApi } = client.crm.contacts;
    const first = await basicApi.merge({ primaryObjectId: a.id, objectIdToMerge: b.id });
    assert.notEqual(first.id, a.id);
    const last = await basicApi.merge({ primaryObjectId: c.id, objectIdToMerge: first.id });
    for (const id of [a.id, b.id, c.id, first.id]) {
      const read = await basicApi.getById(id, ['city', 'jobtitle', 'hs_merged_object_ids']);
      assert.deepEqual([read.id, read.properties['city'], read.properties['jobtitle']], [last.id, 'Ulm', 'Engineer']);
      const former = (read.properties['hs_merged_object_ids'] ?? '').split(';');
      assert.deepEqual(former.sort(), [a.id, b.id, c.id, first.id].sort());
    }
    const email = b.properties['email'] ?? '';
    const byEmail = await basicApi.getById(email, undefined, undefined, undefined, false, 'email');
    assert.equal(byEmail.id, last.id);
    const listed: string[] = [];
    for (let after: string | undefined; ;) {
      const page = await basicApi.getPage(2, after);
      listed.push(...page.results.map(({ id }) => id));
      after = page.paging?.next?.after;
      if (after === undefined) break;
    }
    assert.ok(listed.includes(last.id) && ![a.id, b.id, c.id, first.id].some((id) => listed.includes(id)));
  });

  it('or let the primary record live on, and tell so in the webhook', async () => {
    await hubspot.control('PUT', '/settings', { mergesMakeNew: false });
    const [a, b] = [await contact(), await contact()];
    const merged = await hubspot.control('POST', `/ui/contacts/${a.id}/merge`, { objectIdToMerge: b.id });
    assert.equal(merged.id, a.id);
    assert.equal((await client.crm.contacts.basicApi.getById(b.id)).id, a.id);
    await receiver.when(() =>
      eventsOf('contact.merge').some(({ primaryObjectId }) => primaryObjectId === Number(a.id)),
    );
    const event = eventsOf('contact.merge').find(({ primaryObjectId }) => primaryObjectId === Number(a.id));
    assert.deepEqual([event.objectId, event.mergedObjectIds, event.newObjectId], [Number(a.id), [Number(b.id)], null]);
    assert.deepEqual([event.changeSource, event.sourceId], ['CRM_UI', 'userId:7001']);
  });

  it('tell of the new record in the webhook, and work for every type of object', async () => {
    const made = await Promise.all(
      ['A', 'B'].map((name) => client.crm.companies.basicApi.create({ properties: { name }, associations: [] })),
    );
    const [a, b] = made.map(({ id }) => id);
    const path = `/crm/objects/2026-09/companies/merge`;
    const body = { primaryObjectId: a, objectIdToMerge: b };
    const merged: any = await (await client.apiRequest({ method: 'POST', path, body })).json();
    await receiver.when(() => eventsOf('company.merge').length > 0);
    const [event] = eventsOf('company.merge');
    assert.deepEqual(
      [event.primaryObjectId, event.mergedObjectIds, event.newObjectId],
      [Number(a), [Number(b)], Number(merged.id)],
    );
    assert.equal((await client.crm.companies.basicApi.getById(String(b))).id, merged.id);
  });
});

describe('reading what has changed', () => {
  it('shows the history of a property with its sources: of one, of a list, and of a batch', async () => {
    const made = await contact({ city: 'Ulm' });
    await hubspot.control('PATCH', `/ui/contacts/${made.id}`, { properties: { city: 'Graz' } });
    const { basicApi, batchApi } = client.crm.contacts;
    const one = await basicApi.getById(made.id, undefined, ['city']);
    const shown = one.propertiesWithHistory?.['city']?.map((was) => [was.value, was.sourceType, was.sourceId]);
    assert.deepEqual(shown, [
      ['Graz', 'CRM_UI', 'userId:7001'],
      ['Ulm', 'INTEGRATION', '54321'],
    ]);
    const [first, second] = one.propertiesWithHistory?.['city'] ?? [];
    assert.ok((first?.timestamp ?? 0) >= (second?.timestamp ?? 0));
    assert.equal(first?.updatedByUserId, 7001);
    const list = await basicApi.getPage(1, made.id, undefined, ['city']);
    assert.deepEqual(list.results[0]?.propertiesWithHistory, one.propertiesWithHistory);
    const batch = await batchApi.read({ inputs: [{ id: made.id }], properties: [], propertiesWithHistory: ['city'] });
    assert.deepEqual(batch.results[0]?.propertiesWithHistory, one.propertiesWithHistory);
  });

  it('lists page by page from an id on, with history fewer at once', async () => {
    const made = [await contact(), await contact(), await contact()].map(({ id }) => id);
    const { basicApi } = client.crm.contacts;
    const first = await basicApi.getPage(2, made[0]);
    assert.deepEqual(
      first.results.map(({ id }) => id),
      made.slice(0, 2),
    );
    assert.equal(first.paging?.next?.after, made[2]);
    const last = await basicApi.getPage(2, first.paging?.next?.after);
    assert.deepEqual([last.results.map(({ id }) => id), last.paging], [made.slice(2), undefined]);
    await assert.rejects(basicApi.getPage(51, undefined, undefined, ['city']), { code: 400 });
  });

  it('is found by search in the order of its last change, page by page', async () => {
    await hubspot.control('PUT', '/settings', { searchLagMs: 0 });
    const since = Date.now();
    const made: string[] = [];
    for (let n = 0; n < 5; n += 1) made.push((await contact()).id);
    const [oldest = '', ...others] = made;
    while (Date.now() <= since + 1) await new Promise((resolve) => setImmediate(resolve));
    await client.crm.contacts.basicApi.update(oldest, { properties: { city: 'Bern' } });
    const page = (after?: string) =>
      client.crm.contacts.searchApi.doSearch({
        filterGroups: [
          { filters: [{ propertyName: 'lastmodifieddate', operator: 'GTE', value: String(since) } as never] },
        ],
        sorts: ['lastmodifieddate'],
        properties: ['lastmodifieddate'],
        limit: 4,
        ...(after === undefined ? {} : { after }),
      });
    const first = await page();
    const second = await page(first.paging?.next?.after);
    const found = [...first.results, ...second.results].map(({ id }) => id);
    assert.deepEqual(found, [...others, oldest]);
    assert.equal(second.paging, undefined);
  });
});

const call = async (method: string, path: string, body?: object, token = 'test-token') => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(`${hubspot.url}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return { status: response.status, headers: response.headers, body: isJson && text !== '' ? JSON.parse(text) : text };
};
const form = (path: string, fields: Record<string, string>) =>
  fetch(`${hubspot.url}${path}`, { method: 'POST', body: new URLSearchParams(fields) });
/** A code for what somebody agreed to, with what the token call must say beside. */
const agreed = async () => {
  const asked = { client_id: 'client-54321', redirect_uri: 'https://example.com/', scope: 'oauth' };
  const answer = await fetch(`${hubspot.url}/oauth/authorize?${String(new URLSearchParams(asked))}`, {
    redirect: 'manual',
  });
  const code = new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? '';
  return { code, client_id: asked.client_id, redirect_uri: asked.redirect_uri };
};
const reset = () =>
  hubspot.control('PUT', '/rate-limit', {
    ...{ perTenSeconds: 190, searchPerSecond: 5, daily: 650_000, windowMs: 10_000, retryAfter: false },
    ...{ associationsPerTenSeconds: 150, associationsDaily: 500_000 },
  });

describe('1. paths and codes', () => {
  it('are the same at the numbered and at the dated versions', async () => {
    const { id } = await contact();
    for (const path of [
      ...['/crm/v3/objects/contacts', '/crm/objects/2026-03/contacts', '/crm/objects/2026-09/0-1'].map(
        (root) => `${root}/${id}`,
      ),
      ...['/crm/v4/objects', '/crm/objects/2026-03', '/crm/objects/2026-09'].map(
        (root) => `${root}/contacts/${id}/associations/companies`,
      ),
      ...['/crm/v3/owners', '/crm/owners/2026-09', '/crm/v3/pipelines/deals', '/crm/pipelines/2026-09/0-3'],
      ...['/crm/v3/properties/contacts', '/crm/properties/2026-09/0-1', '/crm-object-schemas/v3/schemas'],
      ...['/crm-object-schemas/2026-09/schemas', '/account-info/v3/details', '/account-info/2026-09/details'],
      ...['v4', '2026-09'].map((version) => `/communication-preferences/${version}/statuses/a@x.test?channel=EMAIL`),
    ])
      assert.equal((await call('GET', path)).status, 200, path);
    for (const version of ['v1', 'v3', '2026-09']) {
      const grant = { grant_type: 'authorization_code', ...(await agreed()), client_secret: 'test-secret' };
      assert.equal((await form(`/oauth/${version}/token`, grant)).status, 200, version);
    }
    for (const version of ['v4', '2026-09']) {
      const path = `/automation/${version === 'v4' ? 'v4/sequences' : 'sequences/2026-09'}/enrollments/contact/${id}`;
      assert.equal((await call('GET', path)).body.message, 'resource not found');
    }
  });

  it('that are not there answer with a page, or as a switch says', async () => {
    const unknown = () => call('GET', '/crm/objects/9999-99/contacts');
    const found = await unknown();
    assert.equal(found.status, 404);
    assert.match(found.headers.get('content-type') ?? '', /text\/html/);
    assert.match(found.body, /^<html>/);
    await hubspot.control('PUT', '/settings', { htmlNotFound: false });
    assert.equal((await unknown()).body.status, 'error');
    await hubspot.control('PUT', '/settings', { htmlNotFound: true });
  });
});

describe('2. webhooks', () => {
  it('are at most ten in flight', async () => {
    // What other tests have changed is sent, so that only this change waits.
    await until(
      () => hubspot.control('GET', '/state'),
      ({ eventsCollected, deliveries: { queued, inFlight, waitingForRetry } }) =>
        eventsCollected + queued + inFlight + waitingForRetry === 0,
    );
    const held: (() => void)[] = [];
    await using slow = new Receiver();
    slow.answer = (_request, response) => void held.push(() => response.writeHead(204).end());
    await hubspot.control('PUT', '/target', { url: await slow.start() });
    await hubspot.control('PUT', '/webhooks', { collectMs: 1, duplicate: 14 });
    await contact();
    await slow.when(({ received }) => received.length === 10);
    const { inFlight, queued } = await hubspot.control('GET', '/deliveries');
    assert.deepEqual([inFlight, queued], [10, 5]);
    slow.answer = (_request, response) => void response.writeHead(204).end();
    for (const answer of held) answer();
    await slow.when(({ received }) => received.length === 15);
    await hubspot.control('PUT', '/webhooks', { collectMs: 50, duplicate: 0 });
    await hubspot.control('PUT', '/target', { url: receiverUrl });
  });
});

describe('3. signatures', () => {
  it('are made over an address whose query is decoded as documented', async () => {
    const url = 'https://hub.example.test/hooks?src=a%2Fb&q=a%20b';
    await hubspot.control('PUT', '/target', { url, deliverTo: receiverUrl });
    const seen = receiver.received.length;
    await hubspot.control('POST', '/deliver', { body: '[]' });
    const sent = receiver.received[seen];
    const at = String(sent?.headers['x-hubspot-request-timestamp']);
    const source = `POSThttps://hub.example.test/hooks?src=a/b&q=a%20b[]${at}`;
    const wanted = createHmac('sha256', 'test-secret').update(source).digest('base64');
    assert.equal(sent?.headers['x-hubspot-signature-v3'], wanted);
    await hubspot.control('PUT', '/target', { url: receiverUrl });
  });
});

describe('4. sources', () => {
  it('name the automation where a workflow follows a write of the app', async () => {
    const workflow = { object: 'contacts', property: 'city', set: { jobtitle: 'From Ulm' } };
    await hubspot.control('PUT', '/workflows', { workflows: [workflow] });
    const { id } = await contact({ city: 'Ulm' });
    const isOf = (name: string) => (event: any) => event.objectId === Number(id) && event.propertyName === name;
    await receiver.when(({ events }) => events.some(isOf('jobtitle')));
    const [city, title] = ['city', 'jobtitle'].map((name) => receiver.events.find(isOf(name)));
    assert.deepEqual([city.changeSource, city.sourceId], ['INTEGRATION', '54321']);
    assert.deepEqual([title.changeSource, title.propertyValue], ['AUTOMATION_PLATFORM', 'From Ulm']);
    await hubspot.control('PUT', '/workflows', { workflows: [] });
  });
});

describe('5. limits', () => {
  afterEach(reset);

  it('count in a window that can be short, and tell how many were refused', async () => {
    await hubspot.control('PUT', '/rate-limit', { perTenSeconds: 2, windowMs: 300 });
    const { refused: before } = await hubspot.control('GET', '/rate-limit');
    const read = () => call('GET', '/crm/owners/2026-09');
    const statuses = [await read(), await read(), await read()].map(({ status }) => status);
    assert.deepEqual(statuses, [200, 200, 429]);
    const { refused } = await hubspot.control('GET', '/rate-limit');
    assert.equal(refused.TEN_SECONDLY_ROLLING, before.TEN_SECONDLY_ROLLING + 1);
    const until = Date.now() + 300;
    while (Date.now() <= until) await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await read()).status, 200);
  });

  it('of search are its own: it counts in no ten seconds, and says nothing of them', async () => {
    await hubspot.control('PUT', '/rate-limit', { perTenSeconds: 1, searchPerSecond: 2 });
    const search = () => call('POST', '/crm/objects/2026-09/contacts/search', { limit: 1 });
    const [first, , third] = [await search(), await search(), await search()];
    assert.equal(first.headers.get('x-hubspot-ratelimit-max'), null);
    assert.deepEqual([third.status, third.body.policyName], [429, 'SECONDLY']);
    assert.equal((await call('GET', '/crm/owners/2026-09')).status, 200);
  });

  it('of associations are beside, and alone where a batch is exempt from the ten seconds', async () => {
    const { id } = await contact();
    await hubspot.control('PUT', '/rate-limit', { perTenSeconds: 1, associationsPerTenSeconds: 3 });
    const batch = () => call('POST', '/crm/associations/2026-09/0-1/0-2/batch/read', { inputs: [{ id }] });
    assert.equal((await batch()).status, 200);
    assert.equal((await batch()).status, 200);
    const list = () => call('GET', `/crm/objects/2026-09/0-1/${id}/associations/0-2`);
    assert.equal((await list()).status, 200);
    assert.equal((await list()).status, 429);
    assert.equal((await batch()).status, 429);
    await hubspot.control('PUT', '/rate-limit', { perTenSeconds: 190, associationsDaily: 1 });
    assert.equal((await list()).status, 200);
    assert.equal((await list()).body.policyName, 'DAILY');
  });

  it('of a day are told to static tokens and none to installed apps, whom they do not bind', async () => {
    await hubspot.control('PUT', '/tokens', { refreshToken: 'installed' });
    const grant = { grant_type: 'refresh_token', refresh_token: 'installed', client_secret: 'test-secret' };
    const { access_token: token } = (await (await form('/oauth/2026-09/token', grant)).json()) as any;
    const read = (by?: string) => call('GET', '/crm/owners/2026-09', undefined, by);
    assert.equal((await read()).headers.get('x-hubspot-ratelimit-daily'), '650000');
    assert.equal((await read(token)).headers.get('x-hubspot-ratelimit-daily'), null);
    assert.equal((await read(token)).headers.get('x-hubspot-ratelimit-max'), '190');
    await hubspot.control('PUT', '/rate-limit', { daily: 0, retryAfter: true });
    const over = await read();
    assert.deepEqual([over.body.policyName, over.headers.get('retry-after')], ['DAILY', '3600']);
    assert.equal((await read(token)).status, 200);
  });
});

describe('6. search', () => {
  it('lags two seconds behind, unless told otherwise, where a read by address does not', async () => {
    const fresh = await listening(
      createHubspot({
        ...{ clientSecret: 's', appId: 1, accessToken: 't', portalId: 2, retryScale: 1, random: seededRandom(4) },
      }),
    );
    assert.equal((await fresh.control('PUT', '/settings', {})).searchLagMs, 2000);
    const there = new Client({ accessToken: 't', basePath: fresh.url });
    await there.crm.contacts.basicApi.create({ properties: { email: 'new@example.com' }, associations: [] });
    assert.equal((await there.crm.contacts.searchApi.doSearch({ limit: 1 })).total, 0);
    const read = there.crm.contacts.basicApi.getById('new@example.com', [], undefined, undefined, false, 'email');
    assert.equal((await read).properties['hs_object_id'] !== undefined, true);
    await fresh[Symbol.asyncDispose]();
  });

  it('ends at 10,000 results and at 3,000 characters', async () => {
    await reset();
    const search = (body: object) => call('POST', '/crm/objects/2026-09/contacts/search', body);
    assert.equal((await search({ limit: 200, after: '9801' })).status, 400);
    assert.equal((await search({ limit: 1, query: 'x'.repeat(3000) })).status, 400);
    assert.equal((await search({ limit: 200, after: '9800' })).status, 200);
  });
});

describe('7. errors and tokens', () => {
  it('come as faults by their names: also the pages of what stands before HubSpot', async () => {
    for (const [code, status] of Object.entries({
      ...{ LOCKED: 423, MIGRATION: 477, MERGE_LIMIT: 414, CONFLICT: 409, MISSING_SCOPES: 403, INTERNAL_ERROR: 500 },
      ...{ BAD_GATEWAY: 502, GATEWAY_TIMEOUT: 504, ORIGIN_DOWN: 521, ORIGIN_SLOW: 522, ORIGIN_UNREACHABLE: 523 },
      ...{ ORIGIN_TIMEOUT: 524, HANDSHAKE_FAILED: 525, BAD_CERTIFICATE: 526 },
    })) {
      await hubspot.control('POST', '/faults', { fault: { kind: 'status', code } });
      const found = await call('GET', '/crm/owners/2026-09');
      assert.equal(found.status, status, code);
      assert.equal(typeof found.body === 'string' && found.body.startsWith('<html>'), status > 500, code);
      assert.equal(found.headers.get('retry-after'), code === 'MIGRATION' ? '60' : null);
    }
  });

  it('say that a token has ended, as soon as a clock factor wants', async () => {
    await hubspot.control('PUT', '/settings', { clockFactor: 1_800_000 });
    await hubspot.control('PUT', '/tokens', { refreshToken: 'short' });
    const grant = { grant_type: 'refresh_token', refresh_token: 'short', client_secret: 'test-secret' };
    const granted = (await (await form('/oauth/2026-09/token', grant)).json()) as any;
    await hubspot.control('PUT', '/settings', { clockFactor: 1 });
    assert.equal(granted.expires_in, 1800);
    const until = Date.now() + 5;
    while (Date.now() <= until) await new Promise((resolve) => setImmediate(resolve));
    const found = await call('GET', '/crm/owners/2026-09', undefined, granted.access_token);
    assert.deepEqual([found.status, found.body.category], [401, 'EXPIRED_AUTHENTICATION']);
    assert.match(found.body.context['expire time'][0], /^\d{4}-/);
  });

  it('say which scopes a token lacks, any of which would do, and that a revoked one is unknown', async () => {
    const { id } = await contact();
    await hubspot.control('PUT', '/tokens', { token: 'reader', scopes: ['crm.objects.contacts.read'] });
    const path = `/crm/objects/2026-09/contacts/${id}`;
    assert.equal((await call('GET', path, undefined, 'reader')).status, 200);
    const found = await call('PATCH', path, { properties: { city: 'Ulm' } }, 'reader');
    assert.deepEqual([found.status, found.body.category], [403, 'MISSING_SCOPES']);
    const event = { eventTypeName: 'video_ready', id: 'scoped', objectId: '1' };
    assert.equal((await call('POST', '/integrators/timeline/2026-03/events', event, 'reader')).status, 403);
    assert.deepEqual(found.body.errors[0].context.requiredGranularScopes, ['crm.objects.contacts.write']);
    assert.equal((await call('POST', '/crm/objects/2026-09/notes', {}, 'reader')).status, 403);
    await hubspot.control('PUT', '/tokens', { token: 'reader', revoked: true });
    const gone = await call('GET', path, undefined, 'reader');
    assert.deepEqual([gone.status, gone.body.category], [401, 'INVALID_AUTHENTICATION']);
  });

  it('tell the app of a token: by introspection of an installation, by a call of its own of a static one', async () => {
    const introspect = async (token: string) =>
      (await (await form('/oauth/2026-09/token/introspect', { token })).json()) as any;
    assert.deepEqual([(await introspect('test-token')).app_id, (await introspect('x')).active], [54321, false]);
    const info = (tokenKey: string) => call('POST', '/oauth/v2/private-apps/get/access-token-info', { tokenKey });
    assert.deepEqual([(await info('test-token')).body.appId, (await info('x')).status], [54321, 401]);
    await hubspot.control('PUT', '/tokens', { token: 'narrow', scopes: ['crm.objects.contacts.read'] });
    assert.deepEqual((await info('narrow')).body.scopes, ['crm.objects.contacts.read']);
    assert.ok((await info('test-token')).body.scopes.includes('tickets'));
  });

  it('end when they are told to, and their answers may come from a clock that is ahead', async () => {
    await hubspot.control('PUT', '/tokens', { token: 'late', expired: true });
    const found = await call('GET', '/crm/owners/2026-09', undefined, 'late');
    assert.deepEqual([found.status, found.body.category], [401, 'EXPIRED_AUTHENTICATION']);
    await hubspot.control('PUT', '/settings', { clockSkewMs: 600_000 });
    const ahead = await fetch(`${hubspot.url}/account-info/2026-09/details`);
    assert.ok(Date.parse(ahead.headers.get('date') ?? '') > Date.now() + 500_000);
    await hubspot.control('PUT', '/settings', { clockSkewMs: 0 });
  });
});

describe("an app's webhooks", () => {
  const key = '?hapikey=test-developer-key';
  const webhooks = '/app-webhooks/2026-09/54321';
  afterEach(async () => {
    await hubspot.control('PUT', '/subscriptions', {});
    await hubspot.control('PUT', '/target', { url: receiverUrl });
  });

  it('are listed, made, switched and taken away by the developer key alone', async () => {
    assert.equal((await call('GET', `${webhooks}/subscriptions`)).status, 401);
    assert.equal((await call('GET', `/app-webhooks/2026-09/99/subscriptions${key}`)).status, 404);
    const made = await call('POST', `${webhooks}/subscriptions${key}`, {
      eventType: 'object.creation',
      objectTypeId: '0-1',
    });
    assert.deepEqual([made.status, made.body.active, made.body.objectTypeId], [201, false, '0-1']);
    const at = `${webhooks}/subscriptions/${made.body.id}${key}`;
    assert.equal((await call('PATCH', at, { active: true })).body.active, true);
    assert.equal((await call('DELETE', at)).status, 204);
    const { results } = (await call('GET', `/webhooks/v3/54321/subscriptions${key}`)).body;
    assert.ok(results.some(({ eventType }: { eventType: string }) => eventType === 'contact.merge'));
    assert.ok(!results.some(({ id }: { id: string }) => id === made.body.id));
    assert.equal((await call('POST', `${webhooks}/subscriptions${key}`, {})).status, 400);
  });

  it('are refused that no app can have: an unknown kind, no type, no property, one never told, one above a thousand', async () => {
    const refusal = async (body: object): Promise<unknown> => {
      const { status, body: said } = await call('POST', `${webhooks}/subscriptions${key}`, body);
      return [status, said.category, said.message];
    };
    for (const [body, message] of [
      [{ eventType: 'call.creation' }, 'Unknown eventType call.creation'],
      [{ eventType: 'object.creation' }, 'objectTypeId is required for object.creation'],
      [{ eventType: 'contact.propertyChange' }, 'propertyName is required for contact.propertyChange'],
      [
        { eventType: 'contact.propertyChange', propertyName: 'hs_lastmodifieddate' },
        'Property hs_lastmodifieddate cannot be subscribed to',
      ],
    ] as const)
      assert.deepEqual(await refusal(body), [400, 'VALIDATION_ERROR', message]);
    const subscriptions = Array.from({ length: 1_000 }, () => ({ subscriptionType: 'contact.creation' }));
    await hubspot.control('PUT', '/subscriptions', { subscriptions });
    assert.match(
      String(await refusal({ eventType: 'deal.creation' })),
      /maximum number allowed per application \(1000\)/,
    );
  });

  it('are switched one by one or several at once, and nothing else of them changes', async () => {
    const { results } = (await call('GET', `${webhooks}/subscriptions${key}`)).body;
    const ids = results.slice(0, 2).map(({ id }: { id: string }) => id);
    const inputs = ids.map((id: string) => ({ id, active: false }));
    const switched = await call('POST', `${webhooks}/subscriptions/batch/update${key}`, { inputs });
    assert.deepEqual([switched.status, switched.body.results.map((one: any) => one.active)], [200, [false, false]]);
    const at = `${webhooks}/subscriptions/${ids[0]}${key}`;
    assert.equal((await call('PATCH', at, { propertyName: 'email' })).status, 400);
    assert.deepEqual((await call('GET', at)).body, { ...results[0], active: false });
    assert.equal((await call('PATCH', `${webhooks}/subscriptions/1${key}`, { active: true })).status, 404);
  });

  it('tell their target, which must be https', async () => {
    const settings = `${webhooks}/settings${key}`;
    assert.equal((await call('GET', settings)).body.targetUrl, receiverUrl);
    const throttling = { maxConcurrentRequests: 10 };
    assert.equal((await call('PUT', settings, { targetUrl: 'http://hub.example.com', throttling })).status, 400);
    const set = await call('PUT', settings, { targetUrl: 'https://hub.example.com/webhooks/hubspot', throttling });
    assert.equal(set.body.targetUrl, 'https://hub.example.com/webhooks/hubspot');
    const few = { targetUrl: set.body.targetUrl, throttling: { maxConcurrentRequests: 5 } };
    assert.equal((await call('PUT', settings, few)).status, 400);
    await call('PUT', settings, { ...few, throttling: { maxConcurrentRequests: 20 } });
    assert.deepEqual((await call('GET', settings)).body.throttling, { maxConcurrentRequests: 20 });
    assert.equal((await call('DELETE', settings)).status, 204);
    assert.equal((await call('GET', settings)).status, 404);
  });
});

describe('8. values', () => {
  it('are strings, times without a zero fraction, null where empty and absent where unknown', async () => {
    const { id } = await contact({ city: '', annualrevenue: '7' });
    const company = await client.crm.companies.basicApi.create({ properties: { name: 'A' }, associations: [] });
    const { body } = await call('GET', `/crm/objects/2026-09/contacts/${id}?properties=city,annualrevenue,nonsense`);
    assert.deepEqual(
      [body.properties.city, body.properties.annualrevenue, 'nonsense' in body.properties],
      [null, '7', false],
    );
    assert.equal(typeof body.id, 'string');
    assert.ok('lastmodifieddate' in body.properties && !('hs_lastmodifieddate' in body.properties));
    const other = (await call('GET', `/crm/objects/2026-09/companies/${company.id}`)).body;
    assert.ok('hs_lastmodifieddate' in other.properties && !('lastmodifieddate' in other.properties));
    const deal = { properties: { closedate: '2026-11-21T10:00:30.000Z' }, associations: [] };
    const made = await client.crm.deals.basicApi.create(deal);
    assert.equal(made.properties['closedate'], '2026-11-21T10:00:30Z');
  });
});

describe('schemas', () => {
  it('define a type whose records hold its properties and no others', async () => {
    const property = { name: 'plate', label: 'Plate', type: 'string', fieldType: 'text', hasUniqueValue: true };
    const made = await client.crm.schemas.coreApi.create({
      name: 'car',
      labels: { singular: 'Car', plural: 'Cars' },
      properties: [property as never],
      requiredProperties: ['plate'],
      associatedObjects: ['CONTACT'],
    });
    assert.match(made.objectTypeId ?? '', /^2-\d+$/);
    const type = made.objectTypeId ?? '';
    const car = await client.crm.objects.basicApi.create(type, { properties: { plate: 'UL 1' }, associations: [] });
    const read = (named: string) => client.crm.objects.basicApi.getById(named, car.id, ['plate']);
    assert.equal((await read(type)).properties['plate'], 'UL 1');
    assert.equal((await read('p62515_car')).id, car.id);
    const wrong = client.crm.objects.basicApi.create(type, { properties: { wheels: '4' }, associations: [] });
    await assert.rejects(wrong, { code: 400 });
    const { results } = await client.crm.schemas.coreApi.getAll();
    assert.deepEqual(
      results.map(({ name, properties }) => [name, properties.some((one) => one.name === 'plate')]),
      [['car', true]],
    );
    assert.equal((await call('POST', '/crm-object-schemas/2026-09/schemas', { name: 'boat' })).status, 400);
  });
});
