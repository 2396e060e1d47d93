import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { Topic, topics, VERIFIED } from '#libs/contracts';
import { ConfigError, startApp, type RunningApp } from '#libs/platform';
import { createTopics, testConnection, TopicReader } from '../../../libs/log/src/testing/log-fixture';
import { appModule } from './app.module';
import { gatewayConfig, tlsOf } from './gateway.config';
import { freePort } from './testing/free-port';
import { hubspotHeaders, testSettings } from './testing/signed';

const folder = mkdtempSync(join(tmpdir(), 'refrain-tls-'));
const at = (name: string): string => join(folder, name);
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function authority(name: string): void {
  openssl('req', '-x509', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`);
}

function certificate(name: string, by: string, subject: string, san: string, days = 1): void {
  openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
  writeFileSync(at(`${name}.ext`), `subjectAltName=${san}\n`);
  const signed = ['-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial', '-days', String(days)];
  openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...signed, '-extfile', `${name}.ext`);
}

const connection = testConnection('tls');
const tlsSettings = () => ({
  TLS_CERT_FILE: at('server.pem'),
  TLS_KEY_FILE: at('server.key'),
  TLS_CLIENT_CA_FILE: at('clients.pem'),
});

let gateway: RunningApp;
let log: TopicReader;
let port: number;
const start = (over: Record<string, string> = {}) =>
  startApp(
    { name: 'gateway', config: gatewayConfig, module: appModule, tls: tlsOf },
    {
      ...testSettings,
      KAFKA_BROKERS: connection.brokers.join(','),
      TOPIC_PREFIX: connection.topicPrefix,
      ENDPOINTS_FILE: at('endpoints.yaml'),
      TLS_PORT: String(port),
      ...tlsSettings(),
      ...over,
    },
  );

beforeAll(async () => {
  authority('servers');
  authority('clients');
  authority('strangers');
  certificate('server', 'servers', '/CN=gateway', 'DNS:localhost');
  certificate('partner', 'clients', '/O=Partner, Inc/CN=sender', 'URI:spiffe://partner.example/sender');
  certificate('stranger', 'strangers', '/O=Partner, Inc/CN=sender', 'URI:spiffe://partner.example/sender');
  certificate('other', 'clients', '/CN=other', 'DNS:other.example');
  certificate('expired', 'clients', '/O=Partner, Inc/CN=sender', 'URI:spiffe://partner.example/sender', 0);
  writeFileSync(
    at('endpoints.yaml'),
    `- endpoint: partner
  source: partner
  authentication: [{ scheme: certificate, subjects: ['CN=sender,O=Partner\\, Inc'], sans: ['spiffe://partner.example/sender'] }]`,
  );
  await createTopics(connection, topics);
  port = await freePort();
  gateway = await start();
  log = new TopicReader(connection, Topic.ingressGeneric);
});
afterAll(async () => {
  await gateway.close();
  await log.close();
});

const pem = (name: string) => ({ cert: readFileSync(at(`${name}.pem`)), key: readFileSync(at(`${name}.key`)) });

/** Posts over TLS with a connection of its own; resolves with status and code of the answer. */
function post(path: string, body: string, client?: string, headers: Record<string, string> = {}) {
  return new Promise<[status: number | undefined, code: string | undefined]>((resolve, reject) => {
    const options = { port, host: 'localhost', path, method: 'POST', agent: false, family: 4 };
    const ca = readFileSync(at('servers.pem'));
    const asked = request({ ...options, ca, headers, ...(client && pem(client)) }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      answer.on('end', () => resolve([answer.statusCode, (JSON.parse(text) as { code?: string }).code]));
    });
    asked.on('error', reject).end(body);
  });
}

it('takes what comes with an accepted certificate of the trusted authority', async () => {
  expect(await post('/webhooks/in/partner', '{"id":1}', 'partner')).toEqual([200, undefined]);
  const [record] = await log.until(1);
  expect(record?.headers[VERIFIED]).toMatch(/^certificate of the connection sha256:/);
});

it('refuses no certificate, those of other authorities, other names, expired ones, and what a header claims', async () => {
  const claim = {
    'x-forwarded-client-cert': 'Subject="CN=sender,O=Partner\\\\, Inc";URI=spiffe://partner.example/sender',
  };
  const partner = '/webhooks/in/partner';
  expect(await post(partner, '{}')).toEqual([401, 'certificate-missing']);
  expect(await post(partner, '{}', undefined, claim)).toEqual([401, 'certificate-missing']);
  expect(await post(partner, '{}', 'stranger')).toEqual([401, 'certificate-missing']);
  expect(await post(partner, '{}', 'stranger', claim)).toEqual([401, 'certificate-missing']);
  expect(await post(partner, '{}', 'other')).toEqual([403, 'certificate-not-accepted']);
  // It ends in the second in which it was made.
  while (Date.now() <= new Date(new X509Certificate(pem('expired').cert).validTo).getTime() + 1_000)
    await new Promise(setImmediate);
  expect(await post(partner, '{}', 'expired')).toEqual([401, 'certificate-missing']);
  const plain = await fetch(`${gateway.url}${partner}`, { method: 'POST', body: '{}', headers: claim });
  expect(plain.status).toBe(401);
});

it('serves the other doors without a certificate', async () => {
  const body = '[]';
  expect(await post('/webhooks/hubspot', body, undefined, hubspotHeaders(body))).toEqual([200, undefined]);
});

it('takes nothing of a trusted proxy that shows only its own certificate', async () => {
  port = await freePort();
  const behind = await start({ TRUSTED_PROXIES: '127.0.0.1' });
  const told = {
    'x-forwarded-client-cert': 'Subject="CN=sender,O=Partner\\\\, Inc";URI=spiffe://partner.example/sender',
  };
  try {
    expect(await post('/webhooks/in/partner', '{}', 'partner')).toEqual([401, 'certificate-missing']);
    expect(await post('/webhooks/in/partner', '{}', 'partner', told)).toEqual([200, undefined]);
  } finally {
    await behind.close();
  }
});

/** The name on the certificate that the listener shows now. */
const shown = () =>
  new Promise<string>((resolve, reject) => {
    const socket: TLSSocket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    }).on('error', reject);
  });

it('takes changed files without a restart, and keeps the old ones where the new cannot be used', async () => {
  port = await freePort();
  const rotating = await start();
  const put = (from: string, to: string) => {
    writeFileSync(at(`${to}.new`), readFileSync(at(from)));
    renameSync(at(`${to}.new`), at(to));
  };
  try {
    certificate('next', 'servers', '/CN=next', 'DNS:localhost');
    const clients = readFileSync(at('clients.pem'));
    writeFileSync(at('server.pem'), '-----BEGIN CERTIFICATE-----\nhunter2\n');
    put('strangers.pem', 'clients.pem');
    expect(await shown()).toBe('gateway');
    put('next.key', 'server.key');
    put('next.pem', 'server.pem');
    while ((await shown()) !== 'next') await new Promise(setImmediate);
    expect(await post('/webhooks/in/partner', '{}', 'partner')).toEqual([401, 'certificate-missing']);
    expect(await post('/webhooks/in/partner', '{"id":2}', 'stranger')).toEqual([200, undefined]);
    writeFileSync(at('clients.pem'), clients);
    while ((await post('/webhooks/in/partner', '{"id":3}', 'partner'))[0] !== 200) await new Promise(setImmediate);
  } finally {
    await rotating.close();
  }
});

it('does not start with files that cannot be used', async () => {
  port = await freePort();
  await expect(start({ TLS_KEY_FILE: at('partner.key') })).rejects.toThrow(ConfigError);
  await expect(start({ TLS_CERT_FILE: at('nowhere') })).rejects.toThrow('cannot be used (ENOENT)');
  await expect(start({ TLS_CERT_FILE: '' })).rejects.toThrow('TLS_PORT: needs TLS_CERT_FILE and TLS_KEY_FILE');
});
