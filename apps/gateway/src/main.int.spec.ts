import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Topic, topics } from '#libs/contracts';
import { createTopics, testConnection, TopicReader } from '../../../libs/log/src/testing/log-fixture';
import { testDatabase } from '../../../libs/event-store/src/testing/test-database';
import { freePort } from './testing/free-port';
import { hubspotHeaders, testSettings } from './testing/signed';

const root = join(__dirname, '../../..');
const main = join(root, 'dist/apps/gateway/src/main.js');
const connection = testConnection('gateway-main');

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** Starts the built gateway as a process, with these settings and no others. */
function run(settings: Record<string, string>) {
  if (!existsSync(main)) throw new Error(`${main} is not built: npm run build`);
  const child = spawn(process.execPath, [main], { cwd: root, env: { PATH: process.env['PATH'], ...settings } });
  open.push(() => child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  const listening = Promise.withResolvers<string>();
  child.stdout.on('data', (data: Buffer) => {
    output.stdout += data.toString();
    const url = /"url":"([^"]+)","msg":"listening"/.exec(output.stdout)?.[1];
    if (url) listening.resolve(url);
  });
  child.stderr.on('data', (data: Buffer) => (output.stderr += data.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, output, listening: listening.promise, ended };
}

it.each([
  [{}, ['HEYGEN_WEBHOOK_SECRET', 'HUBSPOT_CLIENT_SECRET', 'KAFKA_BROKERS', 'PORT', 'PUBLIC_URL']],
  // Whether the secrets are missing is only known by a file that can be read.
  [{ TENANTS_FILE: '/nowhere' }, ['KAFKA_BROKERS', 'PORT', 'PUBLIC_URL', 'TENANTS_FILE']],
])('with %j tells all missing settings at once and exits 1 before it listens', async (settings, missing) => {
  const { output, ended } = run({ PORT: 'x', PUBLIC_URL_FILE: '/nowhere', ...settings });
  expect(await ended).toBe(1);
  expect(output.stdout).toBe('');
  const faults = output.stderr.trim().split('\n').slice(1);
  expect(faults.map((fault) => fault.slice(0, fault.indexOf(':')))).toEqual(missing);
});

it('tells every secret of an endpoint that it cannot have, and exits 1 before it listens', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'refrain-endpoints-')), 'endpoints.yaml');
  writeFileSync(
    file,
    `- { endpoint: a, source: a, authentication: [{ scheme: github, secretEnv: A_SECRET }] }
- { endpoint: b, source: b, authentication: [{ scheme: svix, secretFile: /nowhere }] }`,
  );
  const { output, ended } = run({ ...testSettings, KAFKA_BROKERS: '127.0.0.1:1', ENDPOINTS_FILE: file });
  expect(await ended).toBe(1);
  expect(output.stderr.trim().split('\n').slice(1)).toEqual([
    'ENDPOINTS_FILE: endpoint a, github (1): A_SECRET is empty',
    'ENDPOINTS_FILE: endpoint b, svix (1): /nowhere is not there',
  ]);
});

it('continues the trace of its caller into the log, logs one line without secrets or payload, and stops in order', async () => {
  await createTopics(connection, topics);
  const settings = { KAFKA_BROKERS: connection.brokers.join(','), TOPIC_PREFIX: connection.topicPrefix };
  const { child, output, listening, ended } = run({ ...testSettings, ...settings, LOG_LEVEL: 'info' });
  const url = await listening;
  const log = new TopicReader(connection, Topic.ingressHubspot);
  open.push(() => log.close());

  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const body =
    '[{"eventId":1,"portalId":33,"occurredAt":1762387200123,"subscriptionType":"contact.propertyChange","objectId":9,"propertyName":"email","propertyValue":"zoe@example.test"}]';
  const headers = { ...hubspotHeaders(body), traceparent: `00-${traceId}-b7ad6b7169203331-01` };
  expect((await fetch(`${url}/webhooks/hubspot?a=secret`, { method: 'POST', body, headers })).status).toBe(401);
  expect((await fetch(`${url}/webhooks/hubspot`, { method: 'POST', body, headers })).status).toBe(200);
  const [record] = await log.until(1);
  expect(record?.envelope?.traceparent).toMatch(new RegExp(`^00-${traceId}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`));

  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  const lines = output.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.filter((line) => line['msg'] === 'request')).toEqual([
    expect.objectContaining({
      method: 'POST',
      route: '/webhooks/hubspot',
      status: 401,
      code: 'signature-mismatch',
      traceId,
    }),
    expect.objectContaining({ status: 200, accepted: 1, quarantined: 0, traceId, service: 'gateway' }),
  ]);
  expect(output.stdout).not.toMatch(/zoe@|a=secret/);
  expect(output.stdout).not.toContain(testSettings.HUBSPOT_CLIENT_SECRET);
});

it('shows what it does to Prometheus, and nothing of what requests hold', async () => {
  await createTopics(connection, topics);
  const file = join(mkdtempSync(join(tmpdir(), 'refrain-endpoints-')), 'endpoints.yaml');
  writeFileSync(
    file,
    `- { endpoint: a, source: erp, authentication: [{ scheme: api-key, header: x-key, secretEnv: A }] }`,
  );
  const metricsPort = String(await freePort());
  const kafka = { KAFKA_BROKERS: connection.brokers.join(','), TOPIC_PREFIX: connection.topicPrefix };
  const database = await testDatabase();
  const spool = { WHEN_LOG_IS_AWAY: 'spool', DATABASE_URL: database.url };
  const door = { ENDPOINTS_FILE: file, A: 'hunter2', METRICS_PORT: metricsPort, LOG_LEVEL: 'info' };
  const { child, listening, ended } = run({ ...testSettings, ...kafka, ...spool, ...door, LAG_LIMIT: '1000' });
  const url = await listening;
  const key = { 'x-key': 'hunter2' };
  const post = (path: string, body: string, headers: Record<string, string>) =>
    fetch(url + path, { method: 'POST', body, headers }).then(({ status }) => status);
  expect(await post('/webhooks/in/a', '{"email":"zoe@example.test"}', key)).toBe(200);
  expect(await post('/webhooks/in/a', 'zoe@example.test', key)).toBe(400);
  expect(await post('/webhooks/in/a?zoe@', '{}', { 'x-key': 'zoe@example.test' })).toBe(401);
  expect(await post('/webhooks/zoe@', '{}', {})).toBe(404);
  const scrape = async (path = '/metrics') => fetch(`http://127.0.0.1:${metricsPort}${path}`);
  let text = '';
  // The first records may go through the spool, until it has been looked at.
  while (!/^gateway_lag_records 0/m.test(text) || !/^gateway_spool_records 0/m.test(text))
    text = await (await scrape()).text();
  const lines = text.split('\n');
  const shown = [
    'http_server_refusals_total{http_route="/webhooks/in/:endpoint",code="unauthorized"} 1',
    'http_server_refusals_total{http_route="/webhooks/in/:endpoint",code="not-json"} 1',
    'http_server_refusals_total{http_route="none",code="not-found"} 1',
    'gateway_secrets_used_total{endpoint="a",scheme="api-key",secret="current"} 2',
    'gateway_records_total{source="erp",outcome="accepted"} 1',
    'gateway_records_total{source="erp",outcome="quarantined"} 1',
    'http_server_request_duration_seconds_count{http_route="/webhooks/in/:endpoint",status_class="2xx"} 1',
    'http_server_request_duration_seconds_count{http_route="/webhooks/in/:endpoint",status_class="4xx"} 2',
    'gateway_pending_records 0',
    'gateway_pending_bytes 0',
    'gateway_spool_records 0',
    'gateway_spool_oldest_age_seconds 0',
    'gateway_lag_records 0',
    'http_server_body_budget_used_bytes 0',
  ];
  expect(shown.filter((line) => !lines.includes(line))).toEqual([]);
  expect(text).toMatch(/^http_server_connections [1-9]/m);
  expect(text).not.toMatch(/zoe|hunter2/);
  expect((await scrape('/')).status).toBe(404);
  expect((await fetch(`${url}/metrics`)).status).toBe(404);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  await database.drop();
});

it('logs one line of each refusal, with its code and without secrets, payload or credentials', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'refrain-endpoints-')), 'endpoints.yaml');
  writeFileSync(
    file,
    `- { endpoint: a, source: a, authentication: [{ scheme: basic, user: u, secretEnv: A_SECRET }] }`,
  );
  const settings = { ENDPOINTS_FILE: file, A_SECRET: 'hunter2', KAFKA_BROKERS: '127.0.0.1:1', LOG_LEVEL: 'info' };
  const { child, output, listening, ended } = run({ ...testSettings, ...settings });
  const url = `${await listening}/webhooks/in/a?key=hunter3`;
  const body = '{"email":"zoe@example.test"}';
  const refused: [RequestInit, number][] = [
    [{ headers: { authorization: 'Basic aHVudGVyNDpodW50ZXI0' } }, 401],
    [{ headers: { 'x-long': 'hunter5'.repeat(3_000) } }, 431],
    [{ body: body.repeat(50_000) }, 413],
  ];
  for (const [init, status] of refused) {
    expect((await fetch(url, { method: 'POST', body, ...init })).status).toBe(status);
  }
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  const lines = output.stdout.split('\n').filter((line) => line.includes('"msg":"request"'));
  expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
    expect.objectContaining({ status: 401, code: 'unauthorized', endpoint: 'a', route: '/webhooks/in/:endpoint' }),
    expect.objectContaining({ status: 431, code: 'headers-too-large', route: 'none' }),
    expect.objectContaining({ status: 413, code: 'too-large', route: '/webhooks/in/:endpoint' }),
  ]);
  expect(output.stdout + output.stderr).not.toMatch(/hunter|aHVudGVy|zoe@/);
});
