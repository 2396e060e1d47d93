import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { Client } from '@hubspot/api-client';
import { seededRandom } from '../src/frame/seeded-random.ts';
import { createHubspot } from '../src/hubspot/server.ts';
import { listening, Receiver, type Sandbox } from './harness.ts';

let hubspot: Sandbox;
let client: Client;
let receiver: Receiver;

before(async () => {
  const random = seededRandom(3);
  const app = { clientSecret: 'test-secret', appId: 54321, accessToken: 'test-token', portalId: 62515 };
  hubspot = await listening(createHubspot({ ...app, retryScale: 0.01, random }));
  client = new Client({ accessToken: 'test-token', basePath: hubspot.url });
  receiver = new Receiver();
  await hubspot.control('PUT', '/target', { url: await receiver.start() });
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
