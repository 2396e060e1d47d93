import { createHmac } from 'node:crypto';
import { HUBSPOT_RECEIVED, INPUT_QUARANTINED } from '#libs/contracts';
import { Problem } from '#libs/platform';
import { Tenants } from '../tenants';
import { sortEvents } from './events';
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

function sort(body: string | Buffer, tenants = new Tenants()) {
  const timestamp = '1762387200500';
  const bytes = Buffer.from(body);
  const signature = createHmac('sha256', 's').update('POSTu').update(bytes).update(timestamp).digest('base64');
  const verified = VerifiedRequest.verify(
    { method: 'POST', url: 'u', body: bytes, signature, timestamp },
    's',
    Number(timestamp),
  );
  return sortEvents(verified, tenants, reception);
}

const verified = expect.stringMatching(/^hubspot-v3 POST u at 1762387200500 sha256:[0-9a-f]{64}$/) as string;

function problemOf(body: string | Buffer): string {
  try {
    sort(body);
    return 'none';
  } catch (error) {
    return error instanceof Problem ? error.code : 'bug';
  }
}

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
  const { records, accepted, quarantined, faults } = sort(`[${JSON.stringify(event)},${bad},5,{"objectId":1}]`);
  expect([accepted, quarantined]).toEqual([1, 3]);
  expect(records.map((r) => r.topic)).toEqual(['ingress.hubspot.v1', ...Array<string>(3).fill('ingress.quarantine')]);
  expect(faults.map((f) => f.at)).toEqual(['/1', '/2', '/3']);
  expect(records[1]).toMatchObject({
    value: Buffer.from(bad),
    headers: { refrain_reason: 'wrong-shape', refrain_detail: expect.stringContaining('subscriptionType') },
    envelope: { type: INPUT_QUARANTINED, subject: expect.stringMatching(/^hubspot-event:/), tenant: 'default' },
  });
});

it('finds the tenant of each portal and keeps what nobody owns apart', () => {
  const tenants = new Tenants([
    { tenant: 'acme', portals: [33], connection: 'main' },
    { tenant: 'globex', portals: [44], connection: 'main' },
  ]);
  const body = [33, 44, 55].map((portalId) => ({ ...event, portalId }));
  const { records, accepted, quarantined, faults } = sort(JSON.stringify(body), tenants);
  expect([accepted, quarantined, faults]).toEqual([2, 1, []]);
  expect(records.map((r) => r.key)).toEqual(['acme:contact:12', 'globex:contact:12', 'unknown:contact:12']);
  expect(records[2]?.headers).toEqual({ refrain_reason: 'unknown-portal', refrain_verified: verified });
  expect(records[0]?.envelope.source).toBe('/hubspot/main');
  expect(sort('{"objectId":1}', tenants).records[0]?.key).toBe('acme:contact:1');
});

it('takes a hundred events and no more, and none at all', () => {
  expect(sort(JSON.stringify(Array(100).fill(event))).accepted).toBe(100);
  expect(problemOf(JSON.stringify(Array(101).fill(event)))).toBe('too-many-events');
  expect(sort('[]')).toEqual({ records: [], accepted: 0, quarantined: 0, faults: [] });
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
])('refuses %s', (_case, body, code) => {
  expect(problemOf(body)).toBe(code);
});
