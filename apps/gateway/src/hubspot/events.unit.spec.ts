import { createHmac } from 'node:crypto';
import { HUBSPOT_RECEIVED, INPUT_QUARANTINED } from '#libs/contracts';
import type { HubspotConnection } from '../connections';
import { hubspotConnection } from '../testing/connections';
import { inbound } from '../testing/inbound';
import { sortRequest } from './events';
import { VerifiedRequest } from './signature';

const reception = { time: '2026-11-21T05:00:00.000Z', traceparent: undefined };
const event = {
  eventId: 7,
  portalId: 33,
  subscriptionId: 25,
  occurredAt: 1762387200123,
  subscriptionType: 'contact.propertyChange',
  objectId: 12,
  propertyName: 'a',
  attemptNumber: 0,
};

const timestamp = '1762387200500';

function sort(
  body: string | Buffer,
  connections = [hubspotConnection('s')],
  { method = 'POST', url = 'http://u' } = {},
) {
  const bytes = Buffer.from(body);
  const signature = createHmac('sha256', 's')
    .update(method + url)
    .update(bytes)
    .update(timestamp)
    .digest('base64');
  const headers = { 'x-hubspot-signature-v3': signature, 'x-hubspot-request-timestamp': timestamp };
  const request = VerifiedRequest.verify(
    inbound({ method, url, body: bytes, headers }),
    connections,
    Number(timestamp),
  );
  return sortRequest(request, reception);
}

const verified = expect.stringMatching(/^hubspot-v3 POST http:\/\/u at 1762387200500 sha256:[0-9a-f]{64}$/) as string;

it('makes one record of each event: exact bytes, key, envelope', () => {
  const first = ' '.repeat(2) + JSON.stringify(event, null, 1);
  const { records, accepted, quarantined } = sort(`[${first} ,${JSON.stringify({ ...event, objectId: 13 })}]`);
  expect([accepted, quarantined]).toEqual([2, 0]);
  expect(records[0]).toEqual({
    topic: 'ingress.hubspot.v1',
    key: 'default:contact:12',
    headers: { refrain_verified: verified },
    value: Buffer.from(first.trim()),
    envelope: {
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      source: '/hubspot/default',
      type: HUBSPOT_RECEIVED,
      subject: 'contact:12',
      time: reception.time,
      tenant: 'default',
      correlationid: records[0]?.envelope.id,
      traceparent: undefined,
    },
  });
  expect(records[1]?.key).toBe('default:contact:13');
});

it('gives an event sent again the same id, whatever its attempt, and another event another', () => {
  const idOf = (over: object) => sort(JSON.stringify([{ ...event, ...over }])).records[0]?.envelope.id;
  expect(idOf({ attemptNumber: 3 })).toBe(idOf({}));
  expect(idOf({ subscriptionId: 26 })).not.toBe(idOf({}));
  expect(idOf({ occurredAt: 1762387200124 })).not.toBe(idOf({}));
});

it('takes the single object of a workflow, whole, with an id of its own each time', () => {
  const body =
    '{ "objectId": 12, "propertyName": "lifecyclestage", "propertyValue": "marketingqualifiedlead", "eventId": 1 }\n';
  const [first, second] = [sort(body), sort(body)].map((sorted) => sorted.records[0]);
  expect(first?.value.toString()).toBe(body);
  expect(first?.key).toBe('default:contact:12');
  expect(first?.envelope.id).not.toBe(second?.envelope.id);
});

it('quarantines the bad events of a batch and keeps the good ones in their place', () => {
  const bad = '{"eventId" : 1}';
  const { records, accepted, quarantined, fault } = sort(`[${JSON.stringify(event)},${bad},5,{"objectId":1}]`);
  expect([accepted, quarantined]).toEqual([1, 3]);
  expect(records.map((r) => r.topic)).toEqual(['ingress.hubspot.v1', ...Array<string>(3).fill('ingress.quarantine')]);
  expect(fault).toBeUndefined();
  expect(sort(`[${bad},5]`).fault?.errors?.map(({ at }) => at)).toEqual(['/0', '/1']);
  expect(records[1]).toMatchObject({
    value: Buffer.from(bad),
    headers: { refrain_reason: 'wrong-shape', refrain_detail: expect.stringContaining('subscriptionType') },
    envelope: { type: INPUT_QUARANTINED, subject: expect.stringMatching(/^hubspot-event:/), tenant: 'default' },
  });
});

const app = (id: number, tenants: Record<string, number[]>, over: Partial<HubspotConnection> = {}) =>
  hubspotConnection('s', {
    connection: `app-${id}`,
    app: id,
    tenants: Object.entries(tenants).map(([tenant, portals]) => ({ tenant, portals })),
    ...over,
  });
const keysOf = (body: unknown, connections: HubspotConnection[]) =>
  sort(JSON.stringify(body), connections).records.map(({ key, headers }) => [key, headers?.['refrain_reason']]);

it('finds the tenant of each portal of an app and keeps what nobody owns apart', () => {
  const connections = [app(1, { acme: [33], globex: [44, 45] })];
  const body = [33, 45, 55].map((portalId) => ({ ...event, portalId, appId: 1 }));
  const { records, accepted, quarantined, fault } = sort(JSON.stringify(body), connections);
  expect([accepted, quarantined, fault]).toEqual([2, 1, undefined]);
  expect(records.map((r) => r.key)).toEqual(['acme:contact:12', 'globex:contact:12', 'unknown:contact:12']);
  expect(records[2]?.headers).toEqual({ refrain_reason: 'unknown-portal', refrain_verified: verified });
  expect(records[0]?.envelope.source).toBe('/hubspot/app-1');
});

it('tells apps of one secret apart by the app of the event, and quarantines those of another app', () => {
  const connections = [app(1, { acme: [33] }), app(2, { globex: [33] })];
  expect(
    keysOf(
      [1, 2, 3].map((appId) => ({ ...event, appId })),
      connections,
    ),
  ).toEqual([
    ['acme:contact:12', undefined],
    ['globex:contact:12', undefined],
    ['unknown:contact:12', 'unknown-app'],
  ]);
});

it('gives a workflow call without a portal to the only tenant there is, and to nobody where there are two', () => {
  expect(keysOf({ objectId: 1 }, [app(1, { acme: [33] })])).toEqual([['acme:contact:1', undefined]]);
  const two = [app(1, { acme: [33], globex: [44] })];
  expect(keysOf({ objectId: 1 }, two)).toEqual([['unknown:contact:1', 'unknown-portal']]);
  expect(keysOf({ objectId: 1, portalId: '44' }, two)).toEqual([['globex:contact:1', undefined]]);
  expect(keysOf({ vid: 1, 'portal-id': 44 }, two)).toEqual([['globex:contact:1', undefined]]);
});

it('drops events of a type that the connection does not take', () => {
  const picky = [hubspotConnection('s', { accept: { types: ['contact.propertyChange'] } })];
  const body = [event, { ...event, subscriptionType: 'contact.creation' }];
  expect(sort(JSON.stringify(body), picky)).toMatchObject({ accepted: 1, ignored: 1, quarantined: 0 });
  expect(sort('{"objectId":1}', picky)).toMatchObject({ records: [], ignored: 1 });
  const workflows = [hubspotConnection('s', { accept: { types: ['workflow'] } })];
  expect(sort('{"objectId":1}', workflows)).toMatchObject({ accepted: 1 });
});

it("takes a workflow's GET: its query is the value, as JSON", () => {
  const url = 'http://u/hook?objectId=12&portalId=33&name=Zo%C3%AB%20%26&x=1&x=2&__proto__=p';
  const { records } = sort('', undefined, { method: 'GET', url });
  expect(records[0]?.key).toBe('default:contact:12');
  expect(records[0]?.value.toString()).toBe(
    '{"objectId":"12","portalId":"33","name":"Zoë &","x":["1","2"],"__proto__":"p"}',
  );
  const bare = sort('', undefined, { method: 'GET', url: 'http://u/hook' });
  expect([bare.quarantined, bare.fault?.code]).toEqual([1, 'wrong-shape']);
});

it('marks what the test button sends', () => {
  const pressed = { ...event, eventId: 100, objectId: 123, changeSource: 'CRM' };
  const headersOf = (over: object) => sort(JSON.stringify([{ ...pressed, ...over }])).records[0]?.headers;
  expect(headersOf({})).toMatchObject({ refrain_test: 'button' });
  for (const over of [{ eventId: 7 }, { objectId: 12 }, { changeSource: 'CRM_UI' }]) {
    expect(headersOf(over)).not.toHaveProperty('refrain_test');
  }
});

it('takes a hundred events and no more, and none at all', () => {
  expect(sort(JSON.stringify(Array(100).fill(event))).accepted).toBe(100);
  expect(sort('[]')).toEqual({ records: [], accepted: 0, quarantined: 0, ignored: 0 });
});

it.each([
  ['nothing', '', 'not-json'],
  ['text', 'hello', 'not-json'],
  ['half of it', '[{"a":1}', 'not-json'],
  ['invalid UTF-8', Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]), 'not-json'],
  ['a byte order mark', '\ufeff[]', 'not-json'],
  ['a number', '5', 'wrong-shape'],
  ['null', 'null', 'wrong-shape'],
  ['a string', '"[]"', 'wrong-shape'],
  ['more than 64 levels', `[{"a":${'['.repeat(63)}${']'.repeat(63)}}]`, 'too-deep'],
  ['101 events', JSON.stringify(Array(101).fill(event)), 'too-many-events'],
])('refuses %s and keeps it in quarantine', (_case, body, code) => {
  const { records, quarantined, fault } = sort(body);
  expect([quarantined, fault?.code]).toEqual([1, code]);
  expect(records).toMatchObject([
    {
      topic: 'ingress.quarantine',
      value: Buffer.from(body),
      headers: { refrain_reason: code, refrain_verified: verified },
    },
  ]);
});
