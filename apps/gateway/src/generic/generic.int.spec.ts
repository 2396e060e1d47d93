import { createHash, createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, SignJWT } from 'jose';
import { CONTENT_TYPE, ENDPOINT, EVENT_TYPE, Topic, topics, VERIFIED } from '#libs/contracts';
import { withAdmin, type IncomingRecord } from '#libs/log';
import { readMetrics, startApp, type RunningApp } from '#libs/platform';
import { createTopics, testConnection, TopicReader } from '../../../../libs/log/src/testing/log-fixture';
import { appModule } from '../app.module';
import { gatewayConfig } from '../gateway.config';
import { testSettings } from '../testing/signed';

const connection = testConnection('generic');
const folder = mkdtempSync(join(tmpdir(), 'refrain-endpoints-'));
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

const issuerKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const issuer = createServer((_request, response) => {
  void exportJWK(issuerKey.publicKey).then((jwk) =>
    response.end(JSON.stringify({ keys: [{ ...jwk, kid: 'k1', alg: 'ES256' }] })),
  );
});

const declaration = (jwks: string): string => `
- endpoint: billing
  tenant: acme
  connection: eu
  source: stripe
  authentication: [{ scheme: stripe, secretFile: ${file('stripe', 'whsec_one\n')}, nextSecretFile: ${file('stripe-next', '')} }]
  event: { id: { pointer: /id }, type: { pointer: /type }, subject: { type: customer, pointer: /data/object/customer } }
  accept: { types: [invoice.paid] }
  maxBytes: 2000
- endpoint: code
  source: github
  authentication: [{ scheme: github, secretEnv: GITHUB_SECRET }]
  event: { type: { header: X-GitHub-Event } }
  accept: { types: [push], others: ignore }
- endpoint: chat
  source: slack
  authentication: [{ scheme: slack, secretEnv: SLACK_SECRET }]
- endpoint: inside
  source: erp
  authentication:
    - { scheme: bearer-token, header: X-Token, issuer: 'https://issuer.test', audience: hub, jwks: '${jwks}', algorithms: [ES256] }
    - { scheme: basic, user: erp, secretEnv: ERP_SECRET }
    - { scheme: addresses, allow: [198.51.100.0/24] }
- endpoint: lost
  source: lost
  authentication: [{ scheme: bearer-token, issuer: i, audience: a, jwks: 'http://127.0.0.1:1/keys' }]
- endpoint: partner
  source: partner
  authentication: [{ scheme: certificate, subjects: ['CN=partner'] }]
  format: bytes
- endpoint: slow
  source: slow
  authentication: [{ scheme: api-key, header: x-key, secretEnv: ERP_SECRET }]
  perMinute: 2
`;

const env = {
  ...testSettings,
  KAFKA_BROKERS: connection.brokers.join(','),
  TOPIC_PREFIX: connection.topicPrefix,
  TRUSTED_PROXIES: '127.0.0.1, ::1',
  GITHUB_SECRET: "It's a Secret to Everybody",
  SLACK_SECRET: 'slack-secret',
  ERP_SECRET: 'erp-secret',
};

let gateway: RunningApp;
let log: TopicReader;
beforeAll(async () => {
  await createTopics(connection, topics);
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  const jwks = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/keys`;
  const settings = { ...env, ENDPOINTS_FILE: file('endpoints.yaml', declaration(jwks)) };
  gateway = await startApp({ name: 'gateway', config: gatewayConfig, module: appModule }, settings);
  log = new TopicReader(connection, Topic.ingressGeneric, Topic.quarantine);
});
afterAll(async () => {
  await gateway.close();
  await log.close();
  issuer.close();
});

const post = async (endpoint: string, body: string | Buffer, headers: Record<string, string> = {}) => {
  const answer = await fetch(`${gateway.url}/webhooks/in/${endpoint}`, { method: 'POST', body, headers });
  return { answer, status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

const hmac = (secret: string, content: string): string => createHmac('sha256', secret).update(content).digest('hex');
const seconds = (): number => Math.floor(Date.now() / 1_000);
const stripe = (body: string, secret = 'whsec_one', at = seconds()) => ({
  'stripe-signature': `t=${at},v1=${hmac(secret, `${at}.${body}`)}`,
});
const github = (body: string, type = 'push') => ({
  'x-hub-signature-256': `sha256=${hmac(env.GITHUB_SECRET, body)}`,
  'x-github-event': type,
});
const slack = (body: string, at = seconds()) => ({
  'x-slack-request-timestamp': String(at),
  'x-slack-signature': `v0=${hmac(env.SLACK_SECRET, `v0:${at}:${body}`)}`,
});

const invoice = (over: object = {}): string =>
  JSON.stringify({ id: `evt_${randomUUID()}`, type: 'invoice.paid', data: { object: { customer: 'cus_9' } }, ...over });
const sha256 = (body: string): string => createHash('sha256').update(body).digest('hex');
const isOf = (body: string) => (record: IncomingRecord) => record.value.toString() === body;

const recordsOnAllTopics = (): Promise<number> =>
  withAdmin(connection, async (admin) => {
    let all = 0;
    for (const { name } of topics) {
      const partitions = await admin.fetchTopicOffsets(connection.topicPrefix + name);
      for (const partition of partitions) all += Number(partition.high);
    }
    return all;
  });

const counted = async (series: string): Promise<number> =>
  Number((await readMetrics()).split(`${series} `)[1]?.split('\n')[0] ?? 0);

it('brings a verified event to the log as the exact bytes, keyed by its subject, with what was verified', async () => {
  const body = `{ "id": "evt_1",\n "type":"invoice.paid", "data":{"object":{"customer":"cus_1", "name":"Zoë"}} }\n`;
  const { status, body: answer } = await post('billing', body, stripe(body));
  expect([status, answer]).toEqual([200, { accepted: 1, quarantined: 0 }]);
  const [record] = await log.until(1, isOf(body));
  expect(record).toMatchObject({
    topic: Topic.ingressGeneric,
    key: 'acme:customer:cus_1',
    headers: { [ENDPOINT]: 'billing', [EVENT_TYPE]: 'invoice.paid' },
    envelope: {
      id: 'billing:evt_1',
      source: '/stripe/eu',
      type: 'refrain.generic-event.received.v1',
      subject: 'customer:cus_1',
      tenant: 'acme',
      correlationid: 'billing:evt_1',
    },
  });
  expect(record?.headers[VERIFIED]).toMatch(new RegExp(`^stripe sha256 current at \\d{10} sha256:${sha256(body)}$`));
});

it('takes the hash of the body as the id, and the source with the id as the subject, where none is declared', async () => {
  const body = '{"ref":"refs/heads/main"}';
  expect((await post('code', body, github(body))).status).toBe(200);
  const [record] = await log.until(1, isOf(body));
  expect(record?.envelope).toMatchObject({ id: `code:${sha256(body)}`, subject: `github:${sha256(body)}` });
  expect(record?.key).toBe(`default:github:${sha256(body)}`);
});

it('accepts the next secret as soon as its file holds it, and no more when it is gone', async () => {
  const sent = async (secret: string) => {
    const body = invoice();
    return (await post('billing', body, stripe(body, secret))).status;
  };
  /** Files are looked at once a second: asks until the answer is there. */
  const becomes = async (secret: string, status: number) => {
    while ((await sent(secret)) !== status) await new Promise(setImmediate);
  };
  const used = 'gateway_secrets_used_total{endpoint="billing",scheme="stripe",secret="next"}';
  expect(await sent('whsec_two')).toBe(401);
  file('stripe-next', 'whsec_two\n');
  await becomes('whsec_two', 200);
  expect(await sent('whsec_one')).toBe(200);
  expect(await counted(used)).toBe(1);
  file('stripe-next', '');
  await becomes('whsec_two', 401);
  expect(await sent('whsec_one')).toBe(200);
});

it('quarantines what is authentic and malformed, with the reason, and answers 400', async () => {
  const deep = `${'['.repeat(65)}${']'.repeat(65)}`;
  for (const [body, code, detail] of [
    ['hello', 'not-json', 'not JSON'],
    [deep, 'too-deep', '64'],
    [invoice({ id: undefined }), 'wrong-shape', '/id is not there'],
    [invoice({ data: { object: { customer: 'a b' } } }), 'wrong-shape', '/data/object/customer'],
  ] as const) {
    const { answer, status, body: problem } = await post('billing', body, stripe(body));
    expect([status, problem['code'], answer.headers.get('content-type')]).toEqual([
      400,
      code,
      'application/problem+json',
    ]);
    const [record] = await log.until(1, isOf(body));
    expect(record).toMatchObject({
      topic: Topic.quarantine,
      headers: { refrain_reason: code, refrain_detail: expect.stringContaining(detail), [ENDPOINT]: 'billing' },
      envelope: { tenant: 'acme', type: 'refrain.input.quarantined.v1', id: `billing:${sha256(body)}` },
    });
  }
});

it('publishes nothing of what it refuses, tells only a code, and counts it', async () => {
  const body = invoice();
  const at = seconds();
  const refused: [endpoint: string, headers: Record<string, string>, status: number, code: string, body?: string][] = [
    ['nowhere', {}, 404, 'not-found'],
    ['billing', {}, 401, 'signature-missing'],
    ['billing', stripe(body, 'another'), 401, 'signature-mismatch'],
    ['billing', stripe(`${body} `), 401, 'signature-mismatch'],
    ['billing', stripe(body, 'whsec_one', at - 310), 401, 'timestamp-stale'],
    ['billing', stripe(body, 'whsec_one', at + 310), 401, 'timestamp-stale'],
    ['billing', stripe(invoice({ type: 'x' })), 401, 'signature-mismatch'],
    ['billing', stripe('x'.repeat(2_001)), 413, 'too-large', 'x'.repeat(2_001)],
    ['billing', {}, 413, 'too-large', 'x'.repeat(1024 * 1024 + 1)],
    ['partner', {}, 401, 'certificate-missing'],
    ['partner', { 'x-forwarded-client-cert': 'Subject="CN=other"' }, 403, 'certificate-not-accepted'],
    ['lost', { authorization: `Bearer ${await token()}` }, 503, 'keys-unavailable'],
    ['inside', { 'x-forwarded-for': '192.0.2.1' }, 403, 'address-not-allowed'],
    ['inside', { 'x-forwarded-for': '198.51.100.7, 192.0.2.1' }, 403, 'address-not-allowed'],
    ['inside', { 'x-forwarded-for': '198.51.100.7' }, 401, 'unauthorized'],
  ];
  const other = invoice({ type: 'invoice.draft' });
  refused.push(['billing', stripe(other), 422, 'event-not-accepted', other]);
  const before = await recordsOnAllTopics();
  const missing = 'http_server_refusals_total{http_route="/webhooks/in/:endpoint",code="signature-missing"}';
  const countedBefore = await counted(missing);
  for (const [endpoint, headers, status, code, sent = body] of refused) {
    const { answer, status: got, body: problem } = await post(endpoint, sent, headers);
    expect([endpoint, got, problem['code']]).toEqual([endpoint, status, code]);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.headers.get('retry-after')).toBe(status === 503 ? '5' : null);
    expect(Object.keys(problem).sort()).toEqual(['code', 'status', 'title', 'type']);
  }
  expect(await recordsOnAllTopics()).toBe(before);
  expect(await counted(missing)).toBe(countedBefore + 1);
});

const token = (claims: { aud?: string } = {}) =>
  new SignJWT()
    .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
    .setIssuer('https://issuer.test')
    .setAudience(claims.aud ?? 'hub')
    .setExpirationTime('1m')
    .sign(issuerKey.privateKey);

const basic = (password: string): string => `Basic ${Buffer.from(`erp:${password}`).toString('base64')}`;

it('asks for everything that an endpoint declares: one that fails is enough', async () => {
  const from = { 'x-forwarded-for': '192.0.2.1, 198.51.100.7' };
  const all = { ...from, 'x-token': `Bearer ${await token()}`, authorization: basic(env.ERP_SECRET) };
  const body = '{"order":1}';
  const before = await recordsOnAllTopics();
  for (const [over, code] of [
    [{ 'x-forwarded-for': '' }, 'address-not-allowed'],
    [{ authorization: basic('wrong') }, 'unauthorized'],
    [{ authorization: '' }, 'unauthorized'],
    [{ 'x-token': `Bearer ${await token({ aud: 'elsewhere' })}` }, 'unauthorized'],
    [{ 'x-token': '' }, 'unauthorized'],
  ] as const) {
    expect((await post('inside', body, { ...all, ...over })).body['code']).toBe(code);
  }
  expect(await recordsOnAllTopics()).toBe(before);
  expect((await post('inside', body, all)).status).toBe(200);
  const [record] = await log.until(1, isOf(body));
  expect(record?.headers[VERIFIED]).toBe(
    `addresses 198.51.100.0/24, basic current, bearer-token of https://issuer.test sha256:${sha256(body)}`,
  );
});

it('believes the certificate that a trusted proxy tells of, and takes any body where the format is bytes', async () => {
  const body = 'a=1&b=2';
  const headers = { 'x-forwarded-client-cert': 'Hash=ab;Subject="CN=partner"' };
  expect((await post('partner', Buffer.from(body), headers)).status).toBe(200);
  const [record] = await log.until(1, isOf(body));
  expect(record?.headers[VERIFIED]).toBe(`certificate by x-forwarded-client-cert sha256:${sha256(body)}`);
  expect(record?.headers).not.toHaveProperty(CONTENT_TYPE);
  const form = 'a=1&b=3';
  await post('partner', form, { ...headers, 'content-type': 'application/x-www-form-urlencoded' });
  const [second] = await log.until(1, isOf(form));
  expect(second?.headers[CONTENT_TYPE]).toBe('application/x-www-form-urlencoded');
});

it('drops what is declared to be ignored, and says so', async () => {
  const before = await recordsOnAllTopics();
  const body = '{"zen":"Design for failure."}';
  expect((await post('code', body, github(body, 'ping'))).body).toEqual({ accepted: 0, quarantined: 0, ignored: 1 });
  expect(await recordsOnAllTopics()).toBe(before);
});

it("answers Slack's question about the address, only where it is signed, and publishes nothing of it", async () => {
  const body = '{"token":"x","challenge":"3eZbrw1a","type":"url_verification"}';
  const before = await recordsOnAllTopics();
  expect((await post('chat', body, slack(body))).body).toEqual({ challenge: '3eZbrw1a' });
  expect((await post('chat', body)).status).toBe(401);
  expect((await post('code', body, github(body))).body).toMatchObject({ accepted: 1 });
  expect(await recordsOnAllTopics()).toBe(before + 1);
});

it('takes so many verified requests in a minute and tells when to come again; refused ones use up nothing', async () => {
  const key = { 'x-key': env.ERP_SECRET };
  for (let i = 0; i < 3; i++) expect((await post('slow', '{}', { 'x-key': 'wrong' })).status).toBe(401);
  expect((await post('slow', '{"n":1}', key)).status).toBe(200);
  expect((await post('slow', '{"n":2}', key)).status).toBe(200);
  const { answer, body } = await post('slow', '{"n":3}', key);
  expect([answer.status, body['code']]).toEqual([429, 'too-many-requests']);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(60);
});

it('answers 503 and never 2xx without a broker', async () => {
  const settings = { ...env, KAFKA_BROKERS: '127.0.0.1:1', ENDPOINTS_FILE: join(folder, 'endpoints.yaml') };
  const lost = await startApp({ name: 'gateway', config: gatewayConfig, module: appModule }, settings);
  const body = invoice();
  const options = { method: 'POST', body, headers: stripe(body) };
  const answer = await fetch(`${lost.url}/webhooks/in/billing`, options);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  await lost.close();
});
