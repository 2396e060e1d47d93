import { createHash, createHmac } from 'node:crypto';
import { HEYGEN_CLAIMED, HEYGEN_RECEIVED, INPUT_QUARANTINED } from '#libs/contracts';
import { Problem } from '#libs/platform';
import { sortCallback } from './callback';
import { heygenConnection } from '../testing/connections';
import { inbound, secrets } from '../testing/inbound';
import { VerifiedCallback } from './signature';

interface SignedCallback {
  body: Buffer;
  signature: string | undefined;
  timestamp: string | undefined;
}

const SECRET = 'whsec_dGVzdA==';
const NOW = 1_762_387_200_500;
const body = Buffer.from(
  '{"event_type":"avatar_video.success","event_data":{"video_id":"v1","url":"https://x.test/v.mp4"}}',
);
const sign = (bytes: Buffer, secret = SECRET) => createHmac('sha256', secret).update(bytes).digest('hex');

function verdict(over: Partial<SignedCallback>): string {
  try {
    const signed = { body, signature: sign(body), timestamp: undefined, ...over };
    const headers = { 'heygen-signature': signed.signature, 'heygen-timestamp': signed.timestamp };
    VerifiedCallback.verify(inbound({ body: signed.body, headers }), [heygenConnection(SECRET)], NOW);
    return 'accepted';
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

it.each<[string, Partial<SignedCallback>, string]>([
  ['the bare hex', {}, 'accepted'],
  ['sha256= before it', { signature: `sha256=${sign(body)}` }, 'accepted'],
  ['upper-case hex', { signature: sign(body).toUpperCase() }, 'accepted'],
  ['a fresh timestamp', { timestamp: '1762387200' }, 'accepted'],
  ['a timestamp of 5 minutes ago', { timestamp: '1762386901' }, 'accepted'],
  ['an older timestamp', { timestamp: '1762386900' }, 'timestamp-stale'],
  ['a timestamp too far ahead', { timestamp: '1762387501' }, 'timestamp-stale'],
  ['a timestamp in milliseconds', { timestamp: String(NOW) }, 'timestamp-stale'],
  ['an empty timestamp', { timestamp: '' }, 'timestamp-stale'],
  ['no signature', { signature: undefined }, 'signature-missing'],
  ['another body', { body: Buffer.from('{}') }, 'signature-mismatch'],
  ['another secret', { signature: sign(body, 'dGVzdA==') }, 'signature-mismatch'],
  ['half a signature', { signature: sign(body).slice(0, 32) }, 'signature-mismatch'],
  ['base64', { signature: Buffer.from(sign(body), 'hex').toString('base64') }, 'signature-mismatch'],
  ['another algorithm', { signature: `sha512=${sign(body)}` }, 'signature-mismatch'],
])('with %s a callback is judged', (_case, over, expected) => {
  expect(verdict(over)).toBe(expected);
});

const reception = { time: '2026-11-21T05:00:00.000Z', traceparent: undefined };

function sort(content: string, eventId?: string, connections = [heygenConnection(SECRET)]) {
  const bytes = Buffer.from(content);
  const headers = { 'heygen-signature': sign(bytes), 'heygen-event-id': eventId };
  return sortCallback(VerifiedCallback.verify(inbound({ body: bytes, headers }), connections, NOW), reception);
}

it('makes a record of the exact bytes, named by the event id and keyed by the video', () => {
  expect(sort(body.toString(), 'evt_1')).toEqual({
    quarantined: false,
    record: {
      topic: 'ingress.heygen.v1',
      headers: { refrain_verified: expect.stringMatching(/^heygen-hmac at no time sha256:[0-9a-f]{64}$/) as string },
      key: 'default:heygen-video:v1',
      value: body,
      envelope: {
        id: 'heygen:evt_1',
        source: '/heygen/default',
        type: HEYGEN_RECEIVED,
        subject: 'heygen-video:v1',
        time: '2026-11-21T05:00:00.000Z',
        tenant: 'default',
        correlationid: 'heygen:evt_1',
        traceparent: undefined,
      },
    },
  });
});

it('names a callback by its content where it has no event id, or none that is fit', () => {
  const hash = createHash('sha256').update(body).digest('hex');
  expect(sort(body.toString()).record?.envelope.id).toBe(hash);
  expect(sort(body.toString(), 'a b').record?.envelope.id).toBe(hash);
});

it('keys a callback without a video by its callback id', () => {
  const { record } = sort('{"event_type":"avatar_video.fail","event_data":{"callback_id":"render-1.1","msg":"no"}}');
  expect(record?.key).toMatch(/^default:heygen-video:[0-9a-f]{32}$/);
});

it.each([
  ['a success without a video', '{"event_type":"avatar_video.success","event_data":{}}', true],
  ['no event', '{"video_id":"v1"}', true],
  ['an array', '[]', true],
  ['an event about something else', '{"event_type":"instant_avatar.success","event_data":{"avatar":"a"}}', false],
])('quarantines %s', (_case, content, told) => {
  const { record, quarantined, fault } = sort(content);
  expect([quarantined, fault !== undefined]).toEqual([true, told]);
  expect(record).toMatchObject({
    topic: 'ingress.quarantine',
    value: Buffer.from(content),
    headers: { refrain_reason: 'wrong-shape' },
    envelope: { type: INPUT_QUARANTINED },
  });
});

it.each([
  ['video done', 'not-json'],
  ['['.repeat(65) + ']'.repeat(65), 'too-deep'],
])('quarantines %s', (content, code) => {
  const { record, fault } = sort(content);
  expect([record?.topic, record?.headers?.['refrain_reason'], fault?.code]).toEqual(['ingress.quarantine', code, code]);
});

const ofTenant = (tenant: string) =>
  JSON.stringify({
    event_type: 'avatar_video.fail',
    event_data: { video_id: 'v1', msg: 'no', callback_id: `render-${tenant}:contact:7:r/1/1` },
  });

it('gives a callback to the tenant that its order names, if the connection is for it', () => {
  const shared = [heygenConnection(SECRET, { connection: 'main', tenants: ['acme', 'globex'] })];
  const whose = (content: string) => {
    const { record, fault } = sort(content, undefined, shared);
    return [
      record?.topic,
      record?.envelope.tenant,
      record?.envelope.source,
      record?.headers?.['refrain_reason'],
      fault,
    ];
  };
  expect(whose(ofTenant('globex'))).toEqual(['ingress.heygen.v1', 'globex', '/heygen/main', undefined, undefined]);
  const nobodys = ['ingress.quarantine', 'unknown', '/heygen/main', 'unknown-tenant', undefined];
  expect(whose(ofTenant('default'))).toEqual(nobodys);
  expect(whose(body.toString())).toEqual(nobodys);
});

it('tells accounts apart by their secrets', () => {
  const connections = [
    heygenConnection('another', { connection: 'a', tenants: ['acme'] }),
    heygenConnection('new', { connection: 'b', tenants: ['globex'], secrets: () => secrets('new', SECRET) }),
  ];
  expect(sort(body.toString(), undefined, connections).record?.envelope).toMatchObject({
    tenant: 'globex',
    source: '/heygen/b',
  });
});

it('drops events of a type that the connection does not take', () => {
  const picky = [heygenConnection(SECRET, { accept: { types: ['avatar_video.fail'] } })];
  expect(sort(body.toString(), undefined, picky)).toEqual({ quarantined: false });
  expect(sort(ofTenant('default'), undefined, picky).record?.topic).toBe('ingress.heygen.v1');
});

describe('a callback without a signature', () => {
  const token = 'a'.repeat(32);
  const connections = [
    heygenConnection(SECRET),
    heygenConnection('x', { connection: 'b', tenants: ['acme'], tokens: () => secrets('z'.repeat(32), token) }),
  ];

  it('is a claim of the connection whose token it came with', () => {
    const headers = { 'heygen-event-id': 'evt_1', 'heygen-signature': sign(body) };
    const claim = VerifiedCallback.claim(inbound({ body, headers }), token, connections);
    const { record } = sortCallback(claim, reception);
    const hash = createHash('sha256').update(body).digest('hex');
    expect(record).toMatchObject({
      topic: 'ingress.heygen.v1',
      headers: { refrain_verified: `heygen-token unconfirmed sha256:${hash}` },
      envelope: { id: `claim:${hash}`, type: HEYGEN_CLAIMED, tenant: 'acme', source: '/heygen/b' },
    });
  });

  it.each(['', 'a'.repeat(31), `${token}a`, SECRET])('finds nothing at the token %p', (wrong) => {
    expect(() => VerifiedCallback.claim(inbound({ body }), wrong, connections)).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    );
  });
});
