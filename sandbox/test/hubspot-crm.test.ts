import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { Client } from '@hubspot/api-client';
import { seededRandom } from '../src/frame/seeded-random.ts';
import { createHubspot } from '../src/hubspot/server.ts';
import { listening, type Sandbox } from './harness.ts';

let hubspot: Sandbox;
let client: Client;

before(async () => {
  const app = createHubspot({
    clientSecret: 'test-secret',
    appId: 54321,
    accessToken: 'test-token',
    portalId: 62515,
    retryScale: 0.01,
    random: seededRandom(1),
  });
  hubspot = await listening(app);
  client = new Client({ accessToken: 'test-token', basePath: hubspot.url });
});
after(async () => hubspot[Symbol.asyncDispose]());
beforeEach(async () => {
  await hubspot.control('PUT', '/rate-limit', {
    perTenSeconds: 190,
    searchPerSecond: 5,
    retryAfter: false,
    windowMs: 10_000,
  });
});

const failed = async (
  promise: Promise<unknown>,
): Promise<{ code: number; body: any; headers: Record<string, string> }> => {
  try {
    await promise;
  } catch (error) {
    return error as { code: number; body: any; headers: Record<string, string> };
  }
  throw new Error('the call did not fail');
};

let counter = 0;
const contact = (properties: Record<string, string> = {}) =>
  client.crm.contacts.basicApi.create({
    properties: { email: `ada${++counter}@example.com`, firstname: 'Ada', lastname: 'Example', ...properties },
    associations: [],
  });

describe('contacts through the official client', () => {
  it('are created, read, changed and archived', async () => {
    const made = await contact({ company: 'Example Ltd' });
    assert.match(made.id, /^\d{12}$/);
    assert.equal(made.properties['lifecyclestage'], 'lead');
    assert.equal(made.properties['hs_object_source'], 'INTEGRATION');

    const read = await client.crm.contacts.basicApi.getById(made.id);
    assert.deepEqual(Object.keys(read.properties), [
      ...['createdate', 'email', 'firstname', 'hs_object_id', 'lastmodifieddate', 'lastname'],
    ]);
    const byEmail = await client.crm.contacts.basicApi.getById(
      made.properties['email'] ?? '',
      ['company', 'jobtitle', 'nonsense'],
      undefined,
      undefined,
      false,
      'email',
    );
    assert.equal(byEmail.id, made.id);
    assert.equal(byEmail.properties['company'], 'Example Ltd');
    assert.equal(byEmail.properties['jobtitle'], null);
    assert.equal('nonsense' in byEmail.properties, false);

    const changed = await client.crm.contacts.basicApi.update(made.id, { properties: { firstname: 'Eve' } });
    assert.equal(changed.properties['firstname'], 'Eve');
    const history = await client.crm.contacts.basicApi.getById(made.id, undefined, ['firstname']);
    assert.deepEqual(
      history.propertiesWithHistory?.['firstname']?.map(({ value, sourceType, sourceId }) => [
        value,
        sourceType,
        sourceId,
      ]),
      [
        ['Eve', 'INTEGRATION', '54321'],
        ['Ada', 'INTEGRATION', '54321'],
      ],
    );
    await client.crm.contacts.basicApi.archive(made.id);
    assert.equal((await failed(client.crm.contacts.basicApi.getById(made.id))).code, 404);
    const archived = await client.crm.contacts.basicApi.getById(made.id, undefined, undefined, undefined, true);
    assert.equal(archived.archived, true);
  });

  it('list in pages and read at both path versions, with comma lists too', async () => {
    const [first, second] = [await contact(), await contact()];
    const page = await client.crm.contacts.basicApi.getPage(1, String(first.id));
    assert.equal(page.results[0]?.id, first.id);
    assert.equal(page.paging?.next?.after, second.id);
    const response = await fetch(`${hubspot.url}/crm/objects/2026-09/contacts/${first.id}?properties=firstname,email`, {
      headers: { authorization: 'Bearer test-token' },
    });
    const body = (await response.json()) as any;
    assert.equal(body.properties.firstname, 'Ada');
    const zeroMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/;
    assert.match(body.createdAt, zeroMs);
    assert.doesNotMatch(body.createdAt, /\.000Z/);
  });

  it('refuse what the vendor refuses', async () => {
    const unknown = await failed(contact({ heygen_video_url: 'x' }));
    assert.equal(unknown.code, 400);
    assert.equal(unknown.body.category, 'VALIDATION_ERROR');
    assert.match(unknown.body.message, /^Property values were not valid: \[\{"isValid":false,.*PROPERTY_DOESNT_EXIST/);
    assert.equal(unknown.body.errors[0].code, 'PROPERTY_DOESNT_EXIST');
    assert.equal((await failed(contact({ createdate: '1' }))).body.errors[0].code, 'READ_ONLY_VALUE');
    assert.equal((await failed(contact({ lifecyclestage: 'king' }))).body.errors[0].code, 'INVALID_OPTION');
    assert.equal((await failed(contact({ email: 'not-an-address' }))).body.errors[0].code, 'INVALID_EMAIL');
    const existing = await contact();
    const twice = await failed(contact({ email: existing.properties['email'] ?? '' }));
    assert.equal(twice.code, 409);
    assert.equal(twice.body.message, `Contact already exists. Existing ID: ${existing.id}`);
    assert.equal((await failed(client.crm.contacts.basicApi.getById('1'))).body.message, 'resource not found');
    const stranger = new Client({ accessToken: 'other', basePath: hubspot.url });
    const denied = await failed(stranger.crm.contacts.basicApi.getById(existing.id));
    assert.deepEqual([denied.code, denied.body.category], [401, 'INVALID_AUTHENTICATION']);
    const nowhere = await fetch(`${hubspot.url}/crm/v3/nowhere`);
    assert.match(nowhere.headers.get('content-type') ?? '', /text\/html/);
  });

  it('move their lifecycle stage forward only, unless it is cleared', async () => {
    const { id } = await contact({ lifecyclestage: 'marketingqualifiedlead' });
    const stage = async (lifecyclestage: string) => {
      await client.crm.contacts.basicApi.update(id, { properties: { lifecyclestage } });
      return (await client.crm.contacts.basicApi.getById(id, ['lifecyclestage'])).properties['lifecyclestage'];
    };
    assert.equal(await stage('lead'), 'marketingqualifiedlead');
    assert.equal(await stage(''), null);
    assert.equal(await stage('lead'), 'lead');
  });

  it('merge, and are forgotten for good', async () => {
    const [a, b] = [await contact(), await contact({ jobtitle: 'Engineer' })];
    const merged = await client.crm.contacts.basicApi.merge({ primaryObjectId: a.id, objectIdToMerge: b.id });
    assert.equal(merged.properties['jobtitle'], 'Engineer');
    assert.equal((await client.crm.contacts.basicApi.getById(b.id)).id, merged.id);
    await client.crm.contacts.basicApi.purge({ objectId: merged.id });
    assert.equal((await failed(client.crm.contacts.basicApi.getById(merged.id))).code, 404);
  });
});

describe('batches', () => {
  it('read with 207 for unknown ids', async () => {
    const { id } = await contact();
    const result: any = await client.crm.contacts.batchApi.read({
      inputs: [{ id }, { id: '42' }],
      properties: ['email'],
      propertiesWithHistory: [],
    });
    assert.equal(result.results.length, 1);
    assert.equal(result.numErrors, 1);
    assert.deepEqual(result.errors[0].context, { ids: ['42'] });
    assert.equal(result.errors[0].category, 'OBJECT_NOT_FOUND');
  });

  it('create all or none, or row by row when traced', async () => {
    const existing = await contact();
    const email = existing.properties['email'] ?? '';
    const rows = [{ email: 'row1@example.com' }, { email }];
    const plain = rows.map((properties) => ({ properties, associations: [] }));
    assert.equal((await failed(client.crm.contacts.batchApi.create({ inputs: plain }))).code, 409);
    const traced = plain.map((row, index) => ({ ...row, objectWriteTraceId: `t${index}` }));
    const result: any = await client.crm.contacts.batchApi.create({ inputs: traced });
    assert.equal(result.results.length, 1);
    assert.deepEqual(result.errors[0].context.objectWriteTraceId, ['t1']);
  });

  it('update, upsert and archive with the codes that the client accepts', async () => {
    const { id } = await contact();
    const updated: any = await client.crm.contacts.batchApi.update({
      inputs: [
        { id, properties: { jobtitle: 'Lead' } },
        { id: '43', properties: { jobtitle: 'Lead' } },
      ],
    });
    assert.equal(updated.results[0].properties.jobtitle, 'Lead');
    assert.equal(updated.numErrors, 1);
    const wrong = await failed(
      client.crm.contacts.batchApi.update({ inputs: [{ id: 'a@example.com', idProperty: 'email', properties: {} }] }),
    );
    assert.match(wrong.body.message, /non-unique 0-1 property/);
    const upsert = () =>
      client.crm.contacts.batchApi.upsert({
        inputs: [{ id: 'up@example.com', idProperty: 'email', properties: { firstname: 'Up' } }],
      });
    assert.equal((await upsert()).results[0]?._new, true);
    assert.equal((await upsert()).results[0]?._new, false);
    const written: Record<string, Record<string, string>> = { a: { nonsense: 'x' }, b: { firstname: 'B' } };
    const rows = Object.entries(written).map(([trace, properties]) => ({
      id: `${trace}@example.com`,
      idProperty: 'email',
      properties,
      objectWriteTraceId: trace,
    }));
    const partly: any = await client.crm.contacts.batchApi.upsert({ inputs: rows });
    assert.deepEqual(
      [partly.results.length, partly.errors[0].category, partly.errors[0].context.objectWriteTraceId],
      [1, 'VALIDATION_ERROR', ['a']],
    );
    await client.crm.contacts.batchApi.archive({ inputs: [{ id }] });
    assert.equal((await failed(client.crm.contacts.basicApi.getById(id))).code, 404);
    const many = Array.from({ length: 101 }, () => ({ id }));
    assert.equal((await failed(client.crm.contacts.batchApi.archive({ inputs: many }))).code, 400);
  });
});

describe('lists', () => {
  it('take and let go records through the official client, unless filters fill them', async () => {
    const { membershipsApi } = client.crm.lists;
    await hubspot.control('PUT', '/lists/12', { processingType: 'SNAPSHOT' });
    await hubspot.control('PUT', '/lists/13', { processingType: 'DYNAMIC' });
    const { id } = await contact();
    const added = await membershipsApi.add('12', [id, '43']);
    assert.deepEqual([added.recordsIdsAdded, added.recordIdsMissing], [[id], ['43']]);
    assert.deepEqual((await membershipsApi.add('12', [id])).recordsIdsAdded, []);
    assert.deepEqual((await hubspot.control('GET', '/lists/12')).members, [id]);
    assert.deepEqual((await membershipsApi.remove('12', [id])).recordIdsRemoved, [id]);
    assert.equal((await failed(membershipsApi.add('13', [id]))).code, 400);
    assert.equal((await failed(membershipsApi.add('99', [id]))).code, 404);
  });
});

describe('consent and sequences', () => {
  const call = async (method: string, path: string, body?: object): Promise<{ status: number; body: any }> => {
    const response = await client.apiRequest({ method, path, body });
    return { status: response.status, body: await response.json() };
  };

  it('tell a status by address, and ask for its legal basis where data privacy is on', async () => {
    const path = '/communication-preferences/v4/statuses/ada%40example.com';
    const wanted = { subscriptionId: 101, statusState: 'SUBSCRIBED', channel: 'EMAIL' };
    const statuses = async () =>
      (await call('GET', `${path}?channel=EMAIL`)).body.results.map((one: any) => one.status);
    assert.deepEqual(await statuses(), ['NOT_SPECIFIED', 'NOT_SPECIFIED']);
    assert.equal((await call('POST', path, wanted)).status, 200);
    assert.deepEqual(await statuses(), ['SUBSCRIBED', 'NOT_SPECIFIED']);
    assert.equal((await call('POST', path, { ...wanted, subscriptionId: 5 })).status, 400);
    await hubspot.control('PUT', '/settings', { dataPrivacy: true });
    assert.match((await call('POST', path, wanted)).body.message, /legalBasis/);
    const grounds = { legalBasis: 'NON_GDPR', legalBasisExplanation: 'x' };
    assert.equal((await call('POST', path, { ...wanted, ...grounds })).status, 200);
    await hubspot.control('PUT', '/settings', { dataPrivacy: false });
  });

  it('enrol a contact in one sequence, if the account may', async () => {
    const { id } = await contact();
    const path = '/automation/v4/sequences/enrollments';
    const wanted = { sequenceId: '7', senderEmail: 'ada@example.com', contactId: id };
    assert.equal((await call('GET', `${path}/contact/${id}`)).status, 404);
    assert.equal((await call('POST', path, wanted)).status, 400);
    const enrolled = await call('POST', `${path}?userId=1`, wanted);
    assert.equal(enrolled.status, 200);
    assert.equal((await call('POST', `${path}?userId=1`, wanted)).status, 400);
    const found = await call('GET', `${path}/contact/${id}`);
    assert.deepEqual([found.body.id, found.body.sequenceId], [enrolled.body.id, '7']);
    await hubspot.control('PUT', '/settings', { sequenceSeats: false });
    const refused = await call('POST', `${path}?userId=1`, wanted);
    assert.deepEqual([refused.status, refused.body.category], [403, 'MISSING_SCOPES']);
    await hubspot.control('PUT', '/settings', { sequenceSeats: true });
  });
});

describe('properties and groups', () => {
  it('are created once, then conflict, then hold values', async () => {
    const { coreApi, groupsApi } = client.crm.properties;
    await groupsApi.create('contacts', { name: 'refrain', label: 'Refrain' });
    assert.equal((await failed(groupsApi.create('contacts', { name: 'refrain', label: 'R' }))).code, 409);
    const property: any = {
      name: 'heygen_render_status',
      label: 'Render status',
      type: 'enumeration',
      fieldType: 'select',
      groupName: 'refrain',
      options: ['PENDING', 'COMPLETED'].map((value, displayOrder) => ({
        label: value,
        value,
        displayOrder,
        hidden: false,
      })),
    };
    assert.equal((await coreApi.create('contacts', property)).name, 'heygen_render_status');
    assert.equal((await failed(coreApi.create('contacts', property))).code, 409);
    assert.equal((await failed(coreApi.create('contacts', { ...property, name: 'Upper' }))).code, 400);
    const stamp: any = { name: 'ai_at', label: 'At', type: 'datetime', fieldType: 'date', groupName: 'refrain' };
    await client.crm.properties.batchApi.create('contacts', { inputs: [stamp] });
    const made = await contact({ heygen_render_status: 'PENDING', ai_at: '1762387200000' });
    const read = await client.crm.contacts.basicApi.getById(made.id, ['heygen_render_status', 'ai_at']);
    assert.equal(read.properties['ai_at'], '2025-11-06T00:00:00Z');
    assert.equal((await coreApi.getByName('contacts', 'lifecyclestage')).options.length, 8);
    assert.ok((await coreApi.getAll('contacts')).results.some(({ name }) => name === 'ai_at'));
    await coreApi.update('contacts', 'ai_at', { label: 'Then' });
    await coreApi.archive('contacts', 'ai_at');
    assert.equal((await failed(coreApi.getByName('contacts', 'ai_at'))).code, 404);
  });
});

describe('notes, tasks and associations', () => {
  it('tie a note at its creation and show it on the contact', async () => {
    const { id } = await contact();
    const types: any = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 202 }];
    const note = await client.crm.objects.notes.basicApi.create({
      properties: { hs_note_body: 'Called about the plan', hs_timestamp: new Date().toISOString() },
      associations: [{ to: { id }, types }],
    });
    const read = await client.crm.contacts.basicApi.getById(id, ['notes_last_updated'], undefined, ['notes']);
    assert.equal(read.associations?.['notes']?.results[0]?.id, note.id);
    assert.notEqual(read.properties['notes_last_updated'], null);
    const wrong: any = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 200 }];
    const refused = await failed(
      client.crm.objects.notes.basicApi.create({
        properties: { hs_timestamp: '1' },
        associations: [{ to: { id }, types: wrong }],
      }),
    );
    assert.equal(refused.body.message, 'invalid from object type 0-46 for associations to be created. expected: 0-47');
    assert.equal(
      (await failed(client.crm.objects.tasks.basicApi.create({ properties: {}, associations: [] }))).code,
      400,
    );
    const found = await client.crm.objects.batchApi.read('notes', {
      inputs: [{ id: note.id }],
      properties: ['hs_note_body'],
      propertiesWithHistory: [],
    });
    assert.equal(found.results[0]?.properties['hs_note_body'], 'Called about the plan');
  });

  it('make a task for an owner at a record of any type that has tasks, and nothing where it is refused', async () => {
    const { id } = await contact();
    const deal = await client.crm.deals.basicApi.create({ properties: { dealname: 'D' }, associations: [] });
    const task = (to: string, associationTypeId: number, properties: Record<string, string> = {}) => {
      const types: any = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId }];
      return client.crm.objects.tasks.basicApi.create({
        properties: { hs_task_subject: 'Call', hs_timestamp: '2026-11-22T10:00:00Z', ...properties },
        associations: [{ to: { id: to }, types }],
      });
    };
    const made = await task(id, 204, { hubspot_owner_id: '701', hs_task_priority: 'HIGH', hs_task_type: 'TODO' });
    assert.equal(made.properties['hubspot_owner_id'], '701');
    await task(deal.id, 216);
    // The id of a user is no owner's.
    for (const owner of ['7001', '999']) {
      const refused = await failed(task(id, 204, { hubspot_owner_id: owner }));
      assert.equal(refused.code, 400);
      assert.equal(refused.body.errors[0].code, 'INVALID_OWNER_ID');
    }
    assert.equal((await failed(task(id, 204, { hs_task_priority: 'URGENT' }))).body.errors[0].code, 'INVALID_OPTION');
    assert.equal((await failed(task(deal.id, 204))).body.message, 'One or more associations are invalid');
    assert.equal((await failed(task('99', 204))).code, 400);
    const { basicApi } = client.crm.associations.v4;
    assert.deepEqual(
      (await basicApi.getPage('0-1', id, 'tasks')).results.map(({ toObjectId }) => toObjectId),
      [made.id],
    );
    assert.equal((await failed(basicApi.getPage('0-1', '99', 'tasks'))).code, 404);
  });

  it('list what is tied to a record page by page', async () => {
    const { id } = await contact();
    const types: any = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 204 }];
    const made: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      const properties = { hs_timestamp: '2026-11-22T10:00:00Z' };
      const associations = [{ to: { id }, types }];
      made.push((await client.crm.objects.tasks.basicApi.create({ properties, associations })).id);
    }
    const { basicApi } = client.crm.associations.v4;
    const first = await basicApi.getPage('contacts', id, 'tasks', undefined, 2);
    const second = await basicApi.getPage('contacts', id, 'tasks', first.paging?.next?.after, 2);
    assert.equal(second.paging, undefined);
    const listed = [...first.results, ...second.results].map(({ toObjectId }) => toObjectId);
    assert.deepEqual(listed, made);
    assert.equal((await failed(basicApi.getPage('contacts', id, 'tasks', undefined, 501))).code, 400);
  });

  it('are made, listed and removed through v4', async () => {
    const person = await contact();
    const company = await client.crm.companies.basicApi.create({
      properties: { name: 'Example Ltd' },
      associations: [],
    });
    const { basicApi, batchApi } = client.crm.associations.v4;
    const primary: any = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 1 }];
    const made = await basicApi.create('contacts', person.id, 'companies', company.id, primary);
    assert.deepEqual(made.labels, ['Primary']);
    const listed = await basicApi.getPage('contacts', person.id, 'companies');
    assert.deepEqual(
      listed.results[0]?.associationTypes.map(({ typeId }) => typeId),
      [1, 279],
    );
    const deal = await client.crm.deals.basicApi.create({
      properties: { dealname: 'D', amount: '5' },
      associations: [],
    });
    const plain = await basicApi.createDefault('deals', deal.id, 'contacts', person.id);
    assert.equal(plain.results.length, 2);
    const read = await batchApi.getPage('contacts', 'deals', { inputs: [{ id: person.id }] });
    assert.equal(read.results[0]?.to[0]?.toObjectId, deal.id);
    const types: any = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 341 }];
    const batch = await batchApi.create('deals', 'companies', {
      inputs: [{ _from: { id: deal.id }, to: { id: company.id }, types }],
    });
    assert.equal(batch.results.length, 1);
    await basicApi.archive('contacts', person.id, 'companies', company.id);
    assert.equal((await basicApi.getPage('contacts', person.id, 'companies')).results.length, 0);
  });
});

describe('search', () => {
  const search = (filters: any[], extra: object = {}) =>
    client.crm.contacts.searchApi.doSearch({
      filterGroups: [{ filters }],
      properties: ['email'],
      limit: 10,
      ...extra,
    });

  it('filters, within the documented limits, and lags', async () => {
    await hubspot.control('PUT', '/settings', { searchLagMs: 0 });
    const made = await contact({ jobtitle: 'Astronomer' });
    const filter = { propertyName: 'jobtitle', operator: 'EQ', value: 'astronomer' };
    assert.deepEqual(
      (await search([filter])).results.map(({ id }) => id),
      [made.id],
    );
    assert.equal((await failed(search([filter, filter, filter, filter, filter, filter, filter]))).code, 400);
    assert.equal((await failed(search([filter], { limit: 201 }))).code, 400);
    await hubspot.control('PUT', '/settings', { searchLagMs: 60_000 });
    await client.crm.contacts.basicApi.update(made.id, { properties: { jobtitle: 'Botanist' } });
    const lagging = await search([filter], { properties: ['jobtitle'] });
    assert.deepEqual([lagging.total, lagging.results[0]?.properties['jobtitle']], [1, 'Astronomer']);
    await hubspot.control('PUT', '/settings', { searchLagMs: 0 });
    await hubspot.control('PUT', '/rate-limit', { searchPerSecond: 5 });
  });
});

describe('limits, faults and the account', () => {
  it('answers 429 with policy names and headers', async () => {
    await hubspot.control('PUT', '/rate-limit', { perTenSeconds: 2, searchPerSecond: 1 });
    const read = () => fetch(`${hubspot.url}/crm/v3/owners`, { headers: { authorization: 'Bearer test-token' } });
    assert.equal((await read()).headers.get('x-hubspot-ratelimit-remaining'), '1');
    await read();
    const over = await read();
    const body = (await over.json()) as any;
    assert.deepEqual([over.status, body.errorType, body.policyName], [429, 'RATE_LIMIT', 'TEN_SECONDLY_ROLLING']);
    assert.equal(over.headers.get('retry-after'), null);
    const searched = () => client.crm.contacts.searchApi.doSearch({ limit: 1 });
    await searched();
    assert.equal((await failed(searched())).body.message, 'You have reached your secondly limit.');
  });

  it('meets injected faults, and an accepted call takes effect without an answer', async () => {
    await hubspot.control('POST', '/faults', { fault: { kind: 'html', status: 502 }, times: 1 });
    assert.equal((await failed(contact())).code, 502);
    await hubspot.control('POST', '/faults', { fault: { kind: 'status', code: 'DAILY' } });
    assert.equal((await failed(contact())).body.policyName, 'DAILY');
    const post = (email: string, signal?: AbortSignal) =>
      fetch(`${hubspot.url}/crm/v3/objects/contacts`, {
        method: 'POST',
        headers: { authorization: 'Bearer test-token', 'content-type': 'application/json' },
        body: JSON.stringify({ properties: { email } }),
        signal,
      });
    await hubspot.control('POST', '/faults', { match: { method: 'POST' }, fault: { kind: 'reset' } });
    await assert.rejects(post('reset@example.com'));
    await hubspot.control('POST', '/faults', { match: { bodyIncludes: 'held@' }, fault: { kind: 'accept-then-hang' } });
    await assert.rejects(post('held@example.com', AbortSignal.timeout(300)));
    await hubspot.control('POST', '/faults', { match: { bodyIncludes: 'lost@' }, fault: { kind: 'hang' } });
    await assert.rejects(post('lost@example.com', AbortSignal.timeout(300)));
    const by = (email: string) =>
      client.crm.contacts.basicApi.getById(email, undefined, undefined, undefined, false, 'email');
    assert.equal((await by('held@example.com')).properties['email'], 'held@example.com');
    for (const email of ['reset@example.com', 'lost@example.com']) assert.equal((await failed(by(email))).code, 404);
    const { calls } = await hubspot.control('GET', '/calls');
    const held = calls.find((call: any) => call.fault === 'accept-then-hang');
    assert.equal(held.status, null);
    assert.equal(JSON.stringify(calls).includes('test-token'), false);
  });

  it('tells owners, pipelines, account and tokens', async () => {
    assert.equal((await client.crm.owners.ownersApi.getPage()).results[0]?.email, 'ada@example.com');
    const stages = (await client.crm.pipelines.pipelinesApi.getAll('deals')).results[0]?.stages ?? [];
    assert.match(stages.find(({ label }) => label === 'Risk')?.id ?? '', /^\d+$/);
    const details = await client.apiRequest({ path: '/account-info/v3/details' });
    assert.equal(((await details.json()) as any).portalId, 62515);
    const clientId = 'client-54321';
    const asked = new URLSearchParams({
      client_id: clientId,
      redirect_uri: 'https://example.com/',
      scope: 'oauth crm.objects.owners.read',
    });
    const agreed = await fetch(`${hubspot.url}/oauth/authorize?${String(asked)}`, { redirect: 'manual' });
    const code = new URL(agreed.headers.get('location') ?? '').searchParams.get('code') ?? '';
    const grant = await client.oauth.tokensApi.create(
      ...(['authorization_code', code, 'https://example.com/', clientId, 'test-secret'] as const),
    );
    const fresh = new Client({ accessToken: grant.accessToken, basePath: hubspot.url });
    assert.ok((await fresh.crm.owners.ownersApi.getPage()).results.length > 0);
    const again = await client.oauth.tokensApi.create(
      ...(['refresh_token', undefined, undefined, 'id', 'test-secret', grant.refreshToken] as const),
    );
    assert.notEqual(again.accessToken, grant.accessToken);
    assert.equal(
      (await failed(client.oauth.tokensApi.create('refresh_token', undefined, undefined, 'id', 'test-secret', 'x')))
        .body.status,
      'BAD_REFRESH_TOKEN',
    );
    const page = await fetch(`${hubspot.url}/_sandbox/`);
    assert.match(await page.text(), /hubspot sandbox/);
    assert.equal(JSON.stringify(await hubspot.control('GET', '/calls')).includes(grant.accessToken), false);
  });
});
