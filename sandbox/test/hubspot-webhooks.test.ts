import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { Client } from '@hubspot/api-client';
import { seededRandom } from '../src/frame/seeded-random.ts';
import { createHubspot } from '../src/hubspot/server.ts';
import { signV1, signV2, signV3 } from '../src/hubspot/webhooks/signatures.ts';
import { listening, Receiver, until, type Received, type Sandbox } from './harness.ts';

const SECRET = 'yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy';
const OTHER = '7f3c1a52-0b8e-4c6d-9a11-2d5e8f9b0c34';
const AT = '1762387200500';
const EXAMPLE = 'https://www.example.com/webhook_uri';
const BODY = '{"example_field":"example_value"}';
const CREATION =
  '[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]';
const CHANGE =
  '[{"eventId":3816279340,"subscriptionId":25,"portalId":33,"appId":1160452,"occurredAt":1762387200123,"subscriptionType":"contact.propertyChange","attemptNumber":0,"objectId":1246965,"propertyName":"lastname","propertyValue":"Zoë Grünwald 😀","changeSource":"CRM_UI","sourceId":"userId:9586504"}]';

describe('signatures', () => {
  it('equal the known answers of version 1 and 2', () => {
    assert.equal(signV1(SECRET, CREATION), '232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de');
    assert.equal(signV1(OTHER, CHANGE), 'e99014db1caaadecd0899264f0b167697cb1fd5835f477d69993ba7401733857');
    assert.equal(signV1(OTHER, '[]'), '0119a0c3e59dfe3ac66724191898317be6aee7127bf73930a436127e36a37ba2');
    assert.equal(
      signV2(SECRET, 'GET', EXAMPLE, ''),
      'eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e',
    );
    assert.equal(
      signV2(SECRET, 'POST', EXAMPLE, BODY),
      '9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900',
    );
  });

  it('equal the known answers of version 3', () => {
    assert.equal(signV3(SECRET, 'POST', EXAMPLE, BODY, AT), 'aBjkg5QFtszXoAQwc5nBXY9z5YeqojwKoP3DEKlOPWg=');
    assert.equal(
      signV3(OTHER, 'POST', 'https://hub.example.test/hooks/hubspot', CHANGE, AT),
      'YUw28rQYxPPbF4JzmutA0m7gBJHbGxfUHc4SRiUvVO4=',
    );
    const encoded = 'https://hub.example.test/hooks/hubspot/portal-33?src=a%2Fb&who=jo%40x.test&q=a%20b';
    assert.equal(signV3(OTHER, 'GET', encoded, '', AT), 'AUx3GtFw8t8cQ04gXKVKhB/MM0/06BT+pk7lcwo/aFY=');
    const single = "{'example_field':'example_value'}";
    assert.equal(
      signV3(SECRET, 'POST', EXAMPLE, single, '1693657560000'),
      'K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=',
    );
    assert.equal(
      signV3(SECRET, 'POST', EXAMPLE, single, '1700000300000'),
      'RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw=',
    );
  });
});

describe('webhooks', () => {
  const publicUrl = 'https://hub.example.test/webhooks/hubspot';
  let hubspot: Sandbox;
  let receiver: Receiver;
  let client: Client;

  before(async () => {
    const app = createHubspot({
      clientSecret: SECRET,
      appId: 54321,
      accessToken: 'test-token',
      portalId: 62515,
      retryScale: 0.01,
      random: seededRandom(2),
    });
    hubspot = await listening(app);
    client = new Client({ accessToken: 'test-token', basePath: hubspot.url });
  });
  after(async () => {
    await receiver[Symbol.asyncDispose]();
    await hubspot[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await receiver?.[Symbol.asyncDispose]();
    receiver = new Receiver();
    await hubspot.control('PUT', '/target', { url: publicUrl, deliverTo: await receiver.start() });
    await hubspot.control('PUT', '/subscriptions', {});
    await hubspot.control('PUT', '/webhooks', {
      ...{ shuffle: false, duplicate: 0, signature: 'v1+v3', generic: false, forcedEventIdCollisions: false },
      ...{ deadlineMs: 5000, maxRetries: 10 },
    });
  });

  const verify = ({ headers, raw }: Received): void => {
    const v1 = createHash('sha256')
      .update(SECRET + raw)
      .digest('hex');
    const at = String(headers['x-hubspot-request-timestamp']);
    const v3 = createHmac('sha256', SECRET).update(`POST${publicUrl}${raw}${at}`).digest('base64');
    assert.equal(headers['x-hubspot-signature'], v1);
    assert.equal(headers['x-hubspot-signature-version'], 'v1');
    assert.equal(headers['x-hubspot-signature-v3'], v3);
    assert.ok(Math.abs(Date.now() - Number(at)) < 5000);
  };
  const person = (email: string, notes: string[] = []) =>
    hubspot.control('POST', '/ui/contacts', { properties: { email, firstname: 'Ada' }, notes });

  it('tell of a contact made by a person: signed, properties before the creation', async () => {
    const made = await person('w1@example.com');
    await receiver.when(({ events }) => events.some((event) => event.changeFlag === 'CREATED'));
    const [first] = receiver.received;
    verify(first!);
    assert.equal(first?.url, '/webhooks/hubspot');
    assert.equal(first?.headers.host, 'hub.example.test');
    const types = receiver.events.map((event) => event.subscriptionType);
    assert.deepEqual(types, [...Array(3).fill('contact.propertyChange'), 'contact.creation']);
    const creation = receiver.events.at(-1);
    assert.deepEqual(
      [creation.objectId, creation.portalId, creation.appId, creation.changeSource, creation.sourceId],
      [Number(made.id), 62515, 54321, 'CRM_UI', 'userId:7001'],
    );
    assert.equal('changeFlag' in receiver.events[0], false);
    assert.equal(new Set(receiver.events.map((event) => event.occurredAt)).size, 1);
  });

  it("name the app as the source of the app's own writes", async () => {
    const made = await person('w2@example.com');
    await receiver.when(({ events }) => events.length >= 4);
    await client.crm.contacts.basicApi.update(made.id, { properties: { lastname: 'Zoë 😀' } });
    await receiver.when(({ events }) => events.some((event) => event.propertyName === 'lastname'));
    const change = receiver.events.find((event) => event.propertyName === 'lastname');
    assert.deepEqual([change.propertyValue, change.changeSource, change.sourceId], ['Zoë 😀', 'INTEGRATION', '54321']);
    verify(receiver.received.at(-1)!);
    const seen = receiver.events.length;
    await client.crm.contacts.basicApi.update(made.id, { properties: { lastname: 'Zoë 😀' } });
    await hubspot.control('PATCH', `/ui/contacts/${made.id}`, { properties: { lifecyclestage: 'customer' } });
    await receiver.when(({ events }) => events.length > seen);
    assert.equal(receiver.events[seen].propertyName, 'lifecyclestage');
  });

  it('come again, re-signed and counted, until they are taken', async () => {
    receiver.answer = (_request, response, index) => void response.writeHead(index < 2 ? 503 : 200).end();
    await person('w3@example.com');
    await receiver.when(({ received }) => received.length >= 3);
    assert.deepEqual(
      receiver.received.map(({ body }) => body[0].attemptNumber),
      [0, 1, 2],
    );
    for (const item of receiver.received) verify(item);
    const ids = new Set(receiver.received.map(({ body }) => body[0].eventId));
    assert.equal(ids.size, 1);
    const done = await until(
      () => hubspot.control('GET', '/deliveries'),
      ({ deliveries }) => deliveries.at(-1).state === 'delivered',
    );
    assert.deepEqual(
      done.deliveries.slice(-3).map(({ state }: any) => state),
      ['will retry', 'will retry', 'delivered'],
    );
  });

  it('give up on a receiver that is too slow', async () => {
    await hubspot.control('PUT', '/webhooks', { deadlineMs: 50, maxRetries: 1 });
    receiver.answer = () => {};
    await person('w4@example.com');
    const done = await until(
      () => hubspot.control('GET', '/deliveries'),
      ({ deliveries }) => deliveries.at(-1).state === 'gave up',
    );
    assert.deepEqual([done.deliveries.at(-1).error, done.deliveries.at(-1).attempt], ['deadline', 1]);
  });

  it('can be doubled, shuffled, generic, or collide in their ids', async () => {
    await hubspot.control('PUT', '/webhooks', {
      duplicate: true,
      generic: true,
      forcedEventIdCollisions: true,
      shuffle: true,
    });
    await person('w5@example.com');
    await receiver.when(({ received }) => received.length >= 2);
    assert.equal(receiver.received[0]?.raw, receiver.received[1]?.raw);
    assert.equal(new Set(receiver.events.map((event) => event.eventId)).size, 1);
    const change = receiver.events.find((event) => event.subscriptionType === 'object.propertyChange');
    assert.deepEqual([change.objectTypeId, change.isSensitive], ['0-1', false]);
  });

  it('split into batches of at most 100', async () => {
    const inputs = Array.from({ length: 60 }, (_, n) => ({
      properties: { email: `b${n}@example.com` },
      associations: [],
    }));
    await client.crm.contacts.batchApi.create({ inputs });
    await receiver.when(({ events }) => events.length >= 180);
    assert.deepEqual(
      receiver.received.map(({ body }) => body.length),
      [100, 80],
    );
  });

  it('tell both sides of an association, deletion with privacy deletion, and a merge', async () => {
    const made = await person('w6@example.com');
    const company = await hubspot.control('POST', '/ui/companies', { properties: { name: 'Example Ltd' } });
    await client.crm.associations.v4.basicApi.createDefault('contacts', made.id, 'companies', company.id);
    await receiver.when(({ events }) => events.filter((event) => event.associationType).length === 2);
    const kinds = receiver.events.map((event) => event.associationType).filter(Boolean);
    assert.deepEqual(kinds.sort(), ['COMPANY_TO_CONTACT', 'CONTACT_TO_COMPANY']);
    const other = await person('w7@example.com');
    const merged = await client.crm.contacts.basicApi.merge({ primaryObjectId: made.id, objectIdToMerge: other.id });
    await receiver.when(({ events }) => events.some((event) => event.newObjectId === Number(merged.id)));
    await hubspot.control('POST', `/ui/contacts/${merged.id}/gdpr-delete`, {});
    await receiver.when(({ events }) => {
      const types = events.filter(({ objectId }) => objectId === Number(merged.id)).map((one) => one.subscriptionType);
      return types.includes('contact.privacyDeletion') && types.includes('contact.deletion');
    });
  });

  it('can be subscribed to by property', async () => {
    await hubspot.control('PUT', '/subscriptions', {
      subscriptions: [{ subscriptionType: 'contact.propertyChange', propertyName: 'email' }],
    });
    await person('w8@example.com');
    await receiver.when(({ events }) => events.length > 0);
    assert.deepEqual(
      receiver.events.map((event) => event.propertyName),
      ['email'],
    );
  });

  it('are sent as a single object by a workflow, and any body on demand', async () => {
    await hubspot.control('POST', '/workflow', {
      ...{ objectId: '123', propertyName: 'lifecyclestage', propertyValue: 'marketingqualifiedlead' },
    });
    await receiver.when(({ received }) => received.length === 1);
    assert.deepEqual(Object.keys(receiver.received[0]?.body), [
      ...['objectId', 'propertyName', 'propertyValue', 'changeSource', 'eventId'],
    ]);
    verify(receiver.received[0]!);
    const { results } = await hubspot.control('POST', '/deliver', { body: '[ {"a": 1.0} ]', repeat: 2 });
    assert.deepEqual(
      results.map(({ status }: any) => status),
      [204, 204],
    );
    assert.equal(receiver.received[2]?.raw, '[ {"a": 1.0} ]');
    for (const signature of ['wrong-secret', 'stale', 'future', 'unsigned'])
      await hubspot.control('POST', '/deliver', { body: {}, signature });
    const [wrong, stale, future, unsigned] = receiver.received.slice(3);
    assert.throws(() => verify(wrong!));
    assert.ok(Number(stale?.headers['x-hubspot-request-timestamp']) < Date.now() - 300_000);
    assert.ok(Number(future?.headers['x-hubspot-request-timestamp']) > Date.now() + 300_000);
    assert.equal(unsigned?.headers['x-hubspot-signature-v3'], undefined);
  });

  it('keep the history with the source of each change', async () => {
    const made = await person('w9@example.com', ['Budget is $50k']);
    const read = await hubspot.control('GET', `/objects/contacts/${made.id}`);
    assert.equal(read.history.email[0].sourceType, 'CRM_UI');
    assert.equal(read.associations.notes.length, 1);
  });
});
