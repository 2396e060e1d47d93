import { createHash, createHmac } from 'node:crypto';
import { Signature } from '@hubspot/api-client';
import fc from 'fast-check';
import { Problem, readMetrics } from '#libs/platform';
import { hubspotConnection } from '../testing/connections';
import { inbound, secrets } from '../testing/inbound';
import { VerifiedRequest } from './signature';

/** A request with the two headers of v3, for short. */
interface SignedRequest {
  method: string;
  url: string;
  body: Buffer;
  signature: string | undefined;
  timestamp: string | undefined;
}

const withHeaders = ({ signature, timestamp, ...rest }: SignedRequest) =>
  inbound({ ...rest, headers: { 'x-hubspot-signature-v3': signature, 'x-hubspot-request-timestamp': timestamp } });

const codeOf = (verify: () => unknown): string => {
  try {
    verify();
    return 'accepted';
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
};

const S1 = 'yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy';
const S2 = '7f3c1a52-0b8e-4c6d-9a11-2d5e8f9b0c34';
const TS = '1762387200500';
const B1 =
  '[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]';
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
  return codeOf(() => VerifiedRequest.verify(withHeaders(asked), [hubspotConnection(secret)], now));
}

describe('the known answers', () => {
  it.each(vectors)('%s is accepted', (_id, secret, method, url, body, timestamp, signature) => {
    const asked = { method, url, body: Buffer.from(body), timestamp, signature };
    expect(verdict(asked, secret, Number(timestamp))).toBe('accepted');
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

const CARD =
  'https://hub.example.test/cards/contact?userId=9586504&userEmail=jo%40x.test&associatedObjectId=1246965&associatedObjectType=CONTACT&portalId=33&firstname=Zo%C3%AB';
type Older = readonly [string, 'v1' | 'v2', string, string, string, string, string];
const older: Older[] = [
  ['v1-1', 'v1', S1, 'POST', EXAMPLE, B1, v1],
  ['v1-2', 'v1', S2, 'POST', EXAMPLE, B2, 'e99014db1caaadecd0899264f0b167697cb1fd5835f477d69993ba7401733857'],
  ['v1-3', 'v1', S2, 'POST', EXAMPLE, '[]', '0119a0c3e59dfe3ac66724191898317be6aee7127bf73930a436127e36a37ba2'],
  ['v2-1', 'v2', S1, 'GET', EXAMPLE, '', 'eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e'],
  [
    'v2-2',
    'v2',
    S1,
    'POST',
    EXAMPLE,
    '{"example_field":"example_value"}',
    '9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900',
  ],
  ['v2-3', 'v2', S2, 'GET', CARD, '', '57c89a138f3b30dce9be94af8b27ad0eb7dcd440e0c1344b230b1990422d688a'],
];

const olderRequest = ([, version, , method, url, text, signature]: Older, headers = {}) =>
  inbound({
    method,
    url,
    body: Buffer.from(text),
    headers: { 'x-hubspot-signature': signature, 'x-hubspot-signature-version': version, ...headers },
  });

describe('the older versions', () => {
  it.each(older)('%s is accepted where the connection says so, and marked as replayable', (...vector) => {
    const [, version, secret, method, url, body, signature] = vector;
    const connection = hubspotConnection(secret, { signatures: ['v3', version] });
    const verified = VerifiedRequest.verify(olderRequest(vector), [connection], Number(TS));
    const call = version === 'v2' ? `${method} ${url.split('?')[0]} ` : '';
    const digest = createHash('sha256').update(body).digest('hex');
    expect(verified.evidence).toBe(`hubspot-${version} ${call}replayable sha256:${digest}`);
    const options = { signature, clientSecret: secret, requestBody: body, url };
    expect(Signature.getSignature(method, version, options)).toBe(signature);
  });

  it.each(older)('%s is refused where it is not declared, whether v3 was left out or not', (...vector) => {
    const other = vector[1] === 'v1' ? 'v2' : 'v1';
    for (const signatures of [['v3'], ['v3', other]] as const) {
      const connection = hubspotConnection(vector[2], { signatures: [...signatures] });
      expect(codeOf(() => VerifiedRequest.verify(olderRequest(vector), [connection], 0))).toBe('signature-missing');
    }
  });

  it.each(older)('%s does not stand in for a v3 that is wrong, stale or half there', (...vector) => {
    const connection = hubspotConnection(vector[2], { signatures: ['v3', 'v2', 'v1'] });
    const v3 = 'x-hubspot-signature-v3';
    const time = 'x-hubspot-request-timestamp';
    for (const [headers, code] of [
      [{ [v3]: 'a'.repeat(44), [time]: TS }, 'signature-mismatch'],
      [{ [v3]: 'a'.repeat(44), [time]: String(Number(TS) - 300_001) }, 'timestamp-stale'],
      [{ [v3]: 'a'.repeat(44) }, 'signature-missing'],
      [{ [v3]: '', [time]: TS }, 'signature-missing'],
    ] as const) {
      expect(codeOf(() => VerifiedRequest.verify(olderRequest(vector, headers), [connection], Number(TS)))).toBe(code);
    }
  });

  it('are refused over any other body, address, method, or by any other secret', () => {
    const connections = [hubspotConnection(S2, { signatures: ['v2', 'v1'] })];
    const [right] = older.slice(5).map((vector) => olderRequest(vector));
    if (!right) throw new Error('the vector is gone');
    const verify = (over: object) => codeOf(() => VerifiedRequest.verify({ ...right, ...over }, connections, 0));
    expect(verify({})).toBe('accepted');
    for (const over of [
      { body: Buffer.from(' ') },
      { url: CARD.replace('%40', '@') },
      { method: 'POST' },
      {
        headers: {
          ...right.headers,
          'x-hubspot-signature': String(right.headers['x-hubspot-signature']).toUpperCase(),
        },
      },
    ]) {
      expect(verify(over)).toBe('signature-mismatch');
    }
    const others = [hubspotConnection(S1, { signatures: ['v2'] })];
    expect(codeOf(() => VerifiedRequest.verify(right, others, 0))).toBe('signature-mismatch');
  });
});

describe('among connections', () => {
  const one = hubspotConnection(S1, { connection: 'one' });
  const two = hubspotConnection('new', { connection: 'two', secrets: () => secrets('new', S2) });

  it('the one whose secret fits is found, and the secret is counted by its name', async () => {
    const series = 'gateway_secrets_used_total{endpoint="hubspot/two",scheme="hubspot-v3",secret="next"} ';
    const used = async () => Number((await readMetrics()).split(series)[1]?.split('\n')[0] ?? 0);
    const before = await used();
    const verified = VerifiedRequest.verify(withHeaders(request()), [one, two], Number(TS));
    expect(verified.connections).toEqual([two]);
    expect(await used()).toBe(before + 1);
  });

  it('each is asked, whichever fits', () => {
    let asked = 0;
    const counting = (connection: typeof one) => ({ ...connection, secrets: () => (asked++, connection.secrets()) });
    for (const order of [
      [one, two],
      [two, one],
      [one, one],
    ]) {
      asked = 0;
      codeOf(() => VerifiedRequest.verify(withHeaders(request()), order.map(counting), Number(TS)));
      expect(asked).toBe(2);
    }
  });
});

it('a GET whose query was cut, its end sent as the body, is refused', () => {
  const url = 'https://hub.example.test/webhooks/hubspot?objectId=123';
  const signature = createHmac('sha256', S2).update(`GET${url}${TS}`).digest('base64');
  const headers = { 'x-hubspot-signature-v3': signature, 'x-hubspot-request-timestamp': TS };
  const asked = (query: string, body: string) =>
    codeOf(() =>
      VerifiedRequest.verify(
        inbound({ method: 'GET', url: url.replace('123', query), headers, body: Buffer.from(body) }),
        [hubspotConnection(S2)],
        Number(TS),
      ),
    );
  expect(asked('123', '')).toBe('accepted');
  expect(asked('12', '3')).toBe('signature-mismatch');
});
