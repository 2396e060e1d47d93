import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client as Postgres } from 'pg';
import { Hub } from './testing/hub';
import { Lead } from './testing/lead';
import { json, OtherSystem } from './testing/other-system';
import { TraceSink } from './testing/trace-sink';
import { until } from './testing/until';

// Steps that ask other systems, from HubSpot's webhook to what HeyGen and HubSpot are sent.

const secret = `hush-${randomBytes(12).toString('hex')}`;
const unnamed = `unnamed-${randomBytes(6).toString('hex')}`;
const usage = { logins: 41, plan: { name: 'pro' }, unnamed };
const billing = new OtherSystem({
  customers: json(usage),
  busy: (response, _, earlier) =>
    earlier === 0
      ? void response.writeHead(429, { 'retry-after': '1' }).end()
      : void response.writeHead(200).end(JSON.stringify(usage)),
  moved: (response) => void response.writeHead(302, { location: '/customers/x/usage' }).end(),
  huge: (response) => void response.writeHead(200).end(JSON.stringify('x'.repeat(500_000))),
  refusing: (response) => void response.writeHead(403).end(secret),
  flaky: (response, _, earlier) =>
    earlier < 2 ? void response.writeHead(403).end() : void response.writeHead(200).end(JSON.stringify(usage)),
  slow: (response) => void response.writeHead(429, { 'retry-after': '2' }).end(),
  plans: json({ plan: { name: 'kept' } }),
});
const sink = new TraceSink();
const folder = mkdtempSync(join(tmpdir(), 'fetch-'));
let hub: Hub;

/** A recipe that begins with a status of this name and asks so. */
const asking = (status: string, fetch: string, further = '') => `recipe: ${status}
trigger: { object: contact, property: hs_lead_status, becomes: [${status}] }
steps:
  - name: usage
    fetch: ${fetch}
  - write: { properties: { jobtitle: "\${coalesce(steps.usage.plan, 'none')} of ${status}" } }
${further}`;
const take = 'take: { plan: body.plan.name }';
const recipes: Record<string, string> = {
  chain: `recipe: chain
trigger: { object: contact, property: lifecyclestage, becomes: [marketingqualifiedlead] }
steps:
  - name: usage
    fetch:
      from: billing
      path: /customers/\${record.email}/usage
      query: { days: 30 }
      take: { logins: body.logins, plan: body.plan.name }
  - video:
      template: demo-outreach
      title: Usage of \${text(record.firstname)}
      variables:
        first_name: \${record.firstname}
        company: \${string(steps.usage.logins)} logins
        recent_event: your usage
  - name: told
    when: steps.usage.logins > 40
    write: { properties: { jobtitle: "\${steps.usage.plan}, \${steps.usage.logins} logins" } }
  - name: video_told
    write: { properties: { industry: "\${steps.video.url}" } }
`,
  strict: asking('strict', `{ from: billing, path: "/nobody/\${record.email}", ${take} }`),
  lenient: asking('lenient', `{ from: billing, path: "/nobody/\${record.email}", ${take}, otherwise: { plan: null } }`),
  busy: asking('busy', `{ from: billing, path: "/busy/\${record.email}", ${take} }`),
  moved: asking('moved', `{ from: billing, path: "/moved/\${record.email}", ${take} }`),
  huge: asking('huge', `{ from: billing, path: "/huge/\${record.email}", ${take} }`),
  refusing: asking('refusing', `{ from: billing, path: "/refusing/\${record.email}", ${take} }`),
  inner: asking('inner', `{ from: inner, path: "/customers/\${record.email}", ${take} }`),
  metadata: asking('metadata', `{ from: metadata, path: "/customers/\${record.email}", ${take} }`),
  undeclared: asking('undeclared', `{ from: nowhere, path: "/customers/\${record.email}", ${take} }`),
  missing: asking('missing', `{ from: billing, path: "/customers/\${record.company}", ${take} }`),
  kept: asking('kept', `{ from: billing, path: /plans/kept, keep: 24h, ${take} }`),
  flaky: asking('flaky', `{ from: billing, path: /flaky, keep: 24h, ${take} }`),
  leaving: asking('leaving', `{ from: leaving, path: "/slow/\${record.email}", ${take} }`),
  later: asking('later', `{ from: later, path: "/customers/\${record.email}", ${take} }`),
};

const systemsOf = (port: number, more = '') => `- system: billing
  url: http://127.0.0.1:${String(port)}
  private: true
  perMinute: 10000
  auth: { scheme: bearer, secretFile: ${join(folder, 'key')} }
- { system: inner, url: "https://localhost:${String(port)}" }
- { system: metadata, url: "http://169.254.169.254", private: true }
${more}`;
let port: number;

beforeAll(async () => {
  port = await billing.start();
  writeFileSync(join(folder, 'key'), `${secret}\n`);
  writeFileSync(join(folder, 'systems.yaml'), systemsOf(port));
  mkdirSync(join(folder, 'recipes'));
  for (const [name, text] of Object.entries(recipes)) writeFileSync(join(folder, 'recipes', `${name}.yaml`), text);
  hub = await Hub.start({
    RECIPES_DIR: join(folder, 'recipes'),
    SYSTEMS_FILE: join(folder, 'systems.yaml'),
    OTEL_EXPORTER_OTLP_ENDPOINT: await sink.start(),
    OTEL_BSP_SCHEDULE_DELAY: '200',
  });
}, 120_000);
afterAll(async () => {
  await hub?.stop();
  await Promise.all([billing.close(), sink.close()]);
  rmSync(folder, { recursive: true });
});

const status = (lead: Lead, propertyValue: string) =>
  `[${lead.change({ propertyName: 'hs_lead_status', propertyValue })}]`;
const fetches = (lead: Lead, type: 'requested' | 'completed' | 'rejected') =>
  lead
    .records('enrichment.events.v1', `refrain.fetch.${type}.v1`)
    .map(({ value }) => JSON.parse(String(value)) as Record<string, unknown>);
const ended = (lead: Lead, type: 'completed' | 'rejected') =>
  until(`a fetch is ${type}`, () => {
    const found = fetches(lead, type);
    return found.length > 0 && found;
  });
/** What HubSpot was told of the lead's job. */
const written = async (lead: Lead) => (await lead.patches()).map(({ requestBody }) => requestBody?.['properties']);
const has = (lead: Lead, jobtitle: string) => lead.has({ jobtitle });

it('fills a video and a record with what another system says, once for a change that comes three times', async () => {
  const lead = await Lead.make(hub);
  const body = `[${lead.change()}]`;
  await Promise.all([hub.post(body), hub.post(body)]);
  await has(lead, 'pro, 41 logins');
  await hub.post(body);
  await lead.has({ heygen_render_status: 'COMPLETED', industry: true });
  await hub.caughtUp();
  expect(billing.asked(encodeURIComponent(lead.email))).toEqual([
    { url: `/customers/${encodeURIComponent(lead.email)}/usage?days=30`, authorization: `Bearer ${secret}` },
  ]);
  const orders = await lead.orders();
  expect(orders).toHaveLength(1);
  expect(JSON.stringify(orders[0]?.requestBody)).toContain('41 logins');
  expect(await lead.writesOf('jobtitle')).toBe(1);
  expect(fetches(lead, 'requested')).toHaveLength(1);
  expect(fetches(lead, 'completed')).toEqual([
    expect.objectContaining({
      recipe: 'chain',
      step: 'usage',
      system: 'billing',
      status: 200,
      fields: { logins: 41, plan: 'pro' },
    }),
  ]);
});

it.each([
  ['strict', 'not-found', 1],
  ['moved', 'redirect', 1],
  ['huge', 'too-large', 1],
  ['refusing', 'http-403', 1],
  ['inner', 'forbidden-address', 0],
  ['metadata', 'forbidden-address', 0],
  ['undeclared', 'no-system', 0],
  ['missing', 'missing', 0],
])('of a system that is %s the step ends as %s, after %i calls, and nothing is written', async (name, code, calls) => {
  const lead = await Lead.make(hub);
  await hub.post(status(lead, name));
  expect(await ended(lead, 'rejected')).toMatchObject([{ recipe: name, step: 'usage', code }]);
  await hub.caughtUp();
  expect(billing.asked(encodeURIComponent(lead.email))).toHaveLength(calls);
  expect(await written(lead)).toEqual([]);
});

it('goes on with what the recipe says otherwise, where the system knows nothing', async () => {
  const lead = await Lead.make(hub);
  await hub.post(status(lead, 'lenient'));
  await has(lead, 'none of lenient');
  expect(fetches(lead, 'completed')).toMatchObject([{ status: 404, fields: { plan: null } }]);
});

it('comes back when the system asks to wait', async () => {
  const lead = await Lead.make(hub);
  const begun = Date.now();
  await hub.post(status(lead, 'busy'));
  await has(lead, 'pro of busy');
  expect(Date.now() - begun).toBeGreaterThan(900);
  expect(billing.asked(encodeURIComponent(lead.email))).toHaveLength(2);
});

it('uses an answer again while it is kept: one call for two triggers', async () => {
  const [one, other] = await Promise.all([Lead.make(hub), Lead.make(hub)]);
  // Midday: both in one bucket, whenever the test runs.
  const occurredAt = new Date().setUTCHours(12, 0, 0, 0);
  const changed = (lead: Lead, at: number) =>
    hub.post(`[${lead.change({ propertyName: 'hs_lead_status', propertyValue: 'kept', occurredAt: at })}]`);
  await Promise.all([changed(one, occurredAt), changed(other, occurredAt + 60_000)]);
  await Promise.all([has(one, 'kept of kept'), has(other, 'kept of kept')]);
  expect(billing.asked('/plans/kept')).toHaveLength(1);
  const tomorrow = await Lead.make(hub);
  await changed(tomorrow, occurredAt + 86_400_000);
  await has(tomorrow, 'kept of kept');
  expect(billing.asked('/plans/kept')).toHaveLength(2);
});

it('keeps answers and not failures: a later trigger asks by itself', async () => {
  const [lead, later] = await Promise.all([Lead.make(hub), Lead.make(hub)]);
  await hub.post(status(lead, 'flaky'));
  expect(await ended(lead, 'rejected')).toMatchObject([{ code: 'http-403' }]);
  expect(billing.asked('/flaky')).toHaveLength(2);
  await hub.post(status(later, 'flaky'));
  await has(later, 'pro of flaky');
  expect(billing.asked('/flaky')).toHaveLength(3);
});

it('a replay asks nothing that is answered', async () => {
  await hub.caughtUp();
  const asked = billing.questions.length;
  const chosen = 'value.propertyName == "lifecyclestage" || value.propertyValue in ["lenient", "kept"]';
  const from = ['--service', 'enrichment-service', '--topic', 'ingress.hubspot.v1', '--filter', chosen];
  const plan = await hub.refrain<{ replay: { id: string }; effects: object; cost: object }>('replay', ...from);
  // The change that came three times is three records; then one lenient, and three that share what is kept.
  expect(plan).toMatchObject({
    effects: { 'hubspot.read': { skipped: 4 }, 'http.fetch.billing': { skipped: 7 } },
    cost: {},
  });
  await hub.refrain('replay', 'apply', plan.replay.id);
  await hub.caughtUp();
  expect(billing.questions).toHaveLength(asked);
});

it('ends what a system owes that is declared no more, also after a restart', async () => {
  const file = join(folder, 'systems.yaml');
  writeFileSync(
    file,
    systemsOf(port, `- { system: leaving, url: "http://127.0.0.1:${String(port)}", private: true }\n`),
  );
  await until('it is taken up', () => hub.logs().includes('"leaving"'));
  const lead = await Lead.make(hub);
  await hub.post(status(lead, 'leaving'));
  await until('it is asked', () => billing.asked(encodeURIComponent(lead.email)).length > 0);
  writeFileSync(file, systemsOf(port));
  await hub.kill('enrichment-service');
  expect(await ended(lead, 'rejected')).toMatchObject([{ code: 'no-system' }]);
});

it('asks a system that was declared while it runs; a file that cannot be read changes nothing', async () => {
  const file = join(folder, 'systems.yaml');
  writeFileSync(file, '- system: [');
  await until('it is told', () => hub.logs().includes('the systems file was not taken up'));
  const before = await Lead.make(hub);
  await hub.post(status(before, 'lenient'));
  await has(before, 'none of lenient');
  writeFileSync(file, systemsOf(port, `- { system: later, url: "http://127.0.0.1:${String(port)}", private: true }\n`));
  await until('it is taken up', () => hub.logs().includes('"later"'));
  const lead = await Lead.make(hub);
  await hub.post(status(lead, 'later'));
  await has(lead, 'pro of later');
});

it('tells the secret nowhere, and what nobody named stands in no event; no trace says what was asked', async () => {
  await hub.caughtUp();
  await until('spans were sent', () => sink.spans.some(({ name }) => name === 'effect http.fetch.billing'));
  const client = new Postgres({ connectionString: hub.databaseUrl });
  await client.connect();
  const tables = await client.query<{ table_name: string }>(
    `select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
  );
  const kept: [string, string][] = [];
  for (const { table_name: name } of tables.rows) {
    const { rows } = await client.query<{ all: string }>(`select string_agg(t::text, ' ') as all from "${name}" t`);
    kept.push([name, rows[0]?.all ?? '']);
  }
  await client.end();
  const events = hub.records.map(({ value, headers }) => String(value) + JSON.stringify(headers)).join('');
  const all = [hub.logs(), events, sink.raw, ...kept.map(([, text]) => text)].join('');
  expect(billing.questions.some(({ authorization }) => authorization === `Bearer ${secret}`)).toBe(true);
  expect(all).not.toContain(secret);
  // The receipt has the answer, and nothing else does.
  expect(all).toContain(unnamed);
  expect(kept.filter(([, text]) => text.includes(unnamed)).map(([name]) => name)).toEqual(['effect']);
  expect(events + hub.logs() + sink.raw).not.toContain(unnamed);
  expect(hub.logs() + sink.raw).not.toMatch(/%40example\.test|\/customers\//);
});
