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
