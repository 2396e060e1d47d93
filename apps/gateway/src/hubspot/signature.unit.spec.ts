import { createHmac } from 'node:crypto';
import { Signature } from '@hubspot/api-client';
import fc from 'fast-check';
import { Problem } from '#libs/platform';
import { VerifiedRequest, type SignedRequest } from './signature';

const S1 = 'yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy';
const S2 = '7f3c1a52-0b8e-4c6d-9a11-2d5e8f9b0c34';
const TS = '1762387200500';
const B2 =
  '[{"eventId":3816279340,"subscriptionId":25,"portalId":33,"appId":1160452,"occurredAt":1762387200123,"subscriptionType":"contact.propertyChange","attemptNumber":0,"objectId":1246965,"propertyName":"lastname","propertyValue":"Zoë Grünwald 😀","changeSource":"CRM_UI","sourceId":"userId:9586504"}]';
const SDK_BODY = "{'example_field':'example_value'}";
const EXAMPLE = 'https://www.example.com/webhook_uri';
const QUERY = 'https://hub.example.test/hooks/hubspot/portal-33?src=a%2Fb&who=jo%40x.test&q=a%20b';

const vectors = [
  [
    'v3-1',
    S1,
    'POST',
    EXAMPLE,
    '{"example_field":"example_value"}',
    TS,
    'aBjkg5QFtszXoAQwc5nBXY9z5YeqojwKoP3DEKlOPWg=',
  ],
  [
    'v3-2',
    S2,
    'POST',
    'https://hub.example.test/hooks/hubspot',
    B2,
    TS,
    'YUw28rQYxPPbF4JzmutA0m7gBJHbGxfUHc4SRiUvVO4=',
  ],
  ['v3-3', S2, 'GET', QUERY, '', TS, 'AUx3GtFw8t8cQ04gXKVKhB/MM0/06BT+pk7lcwo/aFY='],
  ['v3-py', S1, 'POST', EXAMPLE, SDK_BODY, '1693657560000', 'K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y='],
  ['v3-rb', S1, 'POST', EXAMPLE, SDK_BODY, '1700000300000', 'RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw='],
] as const;

const request = (over: Partial<SignedRequest> = {}): SignedRequest => ({
  method: 'POST',
  url: 'https://hub.example.test/hooks/hubspot',
  body: Buffer.from(B2),
  signature: 'YUw28rQYxPPbF4JzmutA0m7gBJHbGxfUHc4SRiUvVO4=',
  timestamp: TS,
  ...over,
});

function verdict(asked: SignedRequest, secret = S2, now = Number(TS)): string {
  try {
    VerifiedRequest.verify(asked, secret, now);
    return 'accepted';
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

describe('the known answers', () => {
  it.each(vectors)('%s is accepted', (_id, secret, method, url, body, timestamp, signature) => {
    const asked = { method, url, body: Buffer.from(body), timestamp, signature };
    expect(verdict(asked, secret, Number(timestamp))).toBe('accepted');
    expect(VerifiedRequest.verify(asked, secret, Number(timestamp)).body.toString()).toBe(body);
  });

  it('v3-3 is refused when signed over the undecoded address', () => {
    const signature = 'VCI8KjA0OXQSR1EgGm+eqZk2C05xDMdrSZ9ThZwY9ig=';
    expect(verdict(request({ method: 'GET', url: QUERY, body: Buffer.alloc(0), signature }))).toBe(
      'signature-mismatch',
    );
  });

  it.each(vectors)("%s agrees with the vendor's own helper", (_id, secret, method, url, body, timestamp, signature) => {
    const decoded = url.replaceAll('%2F', '/').replaceAll('%40', '@');
    const options = { signature, clientSecret: secret, requestBody: body, url: decoded, timestamp: Number(timestamp) };
    expect(Signature.getSignature(method, 'v3', options)).toBe(signature);
  });
});

it('decodes the twelve codes and no others, once', () => {
  const url = 'https://h.test/p?a=%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B&b=%20%26%3D%25%2B%23%C3%AB%2f%253A';
  const signed = "https://h.test/p?a=:/?@!$'()*,;&b=%20%26%3D%25%2B%23%C3%AB%2f%253A";
  const signature = createHmac('sha256', S2).update(`POST${signed}${B2}${TS}`).digest('base64');
  expect(verdict(request({ url, signature }))).toBe('accepted');
});

it.each([
  [300_000, 'accepted'],
  [300_001, 'timestamp-stale'],
  [-300_000, 'accepted'],
  [-300_001, 'timestamp-stale'],
])('at %d ms from its timestamp a request is %s', (offset, expected) => {
  expect(verdict(request(), S2, Number(TS) + offset)).toBe(expected);
});

const v1 = '232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de';

it.each<[string, Partial<SignedRequest>, string]>([
  ['no signature', { signature: undefined }, 'signature-missing'],
  ['an empty signature', { signature: '' }, 'signature-missing'],
  ['no timestamp', { timestamp: undefined }, 'signature-missing'],
  ['a timestamp in seconds', { timestamp: '1762387200' }, 'timestamp-stale'],
  ['a timestamp that is no number', { timestamp: 'NaN' }, 'timestamp-stale'],
  ['a timestamp with a sign', { timestamp: '+176238720050' }, 'timestamp-stale'],
  ['a timestamp with blanks', { timestamp: ` ${TS}` }, 'timestamp-stale'],
  ['another timestamp', { timestamp: '1762387200501' }, 'signature-mismatch'],
  ['another method', { method: 'PUT' }, 'signature-mismatch'],
  ['http for https', { url: 'http://hub.example.test/hooks/hubspot' }, 'signature-mismatch'],
  ['a slash at the end', { url: 'https://hub.example.test/hooks/hubspot/' }, 'signature-mismatch'],
  ['a body printed again', { body: Buffer.from(JSON.stringify(JSON.parse(B2), null, 1)) }, 'signature-mismatch'],
  ['hex for base64', { signature: v1 }, 'signature-mismatch'],
  ['base64 without padding', { signature: request().signature?.slice(0, -1) }, 'signature-mismatch'],
  [
    'another spelling of the same bytes',
    { signature: 'YUw28rQYxPPbF4JzmutA0m7gBJHbGxfUHc4SRiUvVO5=' },
    'signature-mismatch',
  ],
  ['the signature twice', { signature: `${request().signature},${request().signature}` }, 'signature-mismatch'],
  ['characters of several bytes', { signature: `${'ë'.repeat(43)}=` }, 'signature-mismatch'],
])('%s is refused', (_case, over, expected) => {
  expect(verdict(request(over))).toBe(expected);
});

it('the secret of another app is refused', () => {
  expect(verdict(request(), S1)).toBe('signature-mismatch');
});

it('no other body, and no other signature, is accepted', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.base64String({ minLength: 44, maxLength: 44 }),
      (body, signature) => {
        expect(verdict(request({ body: Buffer.from(body) }))).toBe('signature-mismatch');
        expect(verdict(request({ signature }))).toBe('signature-mismatch');
      },
    ),
  );
});
