import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hub } from './testing/hub';
import { Lead } from './testing/lead';
import { until } from './testing/until';

// A customer installs the app: the person's browser, HubSpot and the gateway, and what works afterwards.

const APP = 4242;
const [HOME, ACME, BLUE, FOREIGN] = [62515, 62516, 62517, 99_999];
const folder = mkdtempSync(join(tmpdir(), 'install-'));
const types = ['contacts', 'companies', 'deals'];
const scopes = [
  'oauth',
  ...types.flatMap((type) => [`crm.objects.${type}.read`, `crm.objects.${type}.write`, `crm.schemas.${type}.read`]),
  ...['crm.objects.owners.read', 'tickets'],
];
let hub: Hub;

beforeAll(async () => {
  const file = join(folder, 'tenants.yaml');
  const oauth = (over: object = {}) => ({
    tier: 'professional',
    oauth: { clientId: `client-${String(APP)}`, clientSecretEnv: 'HUBSPOT_CLIENT_SECRET', scopes, ...over },
  });
  const wide = { optionalScopes: ['crm.schemas.contacts.write', 'timeline'] };
  const declared = [
    { tenant: 'default', portals: [HOME], hubspot: { tier: 'professional', tokenEnv: 'HUBSPOT_ACCESS_TOKEN' } },
    { tenant: 'acme', portals: [ACME], hubspot: oauth(wide) },
    { tenant: 'blue', portals: [BLUE], hubspot: { ...oauth(), app: 1 } },
  ];
  writeFileSync(file, JSON.stringify(declared));
  hub = await Hub.start({
    TENANTS_FILE: file,
    SEALING_KEY: randomBytes(32).toString('base64'),
    HUBSPOT_APP_ID: String(APP),
    HUBSPOT_PORTAL_ID: String(HOME),
  });
});
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true });
});

interface Begun {
  location: URL;
  cookie: string;
}

const visit = (url: string | URL, cookie = '') => fetch(url, { redirect: 'manual', headers: { cookie } });

/** What the browser does who opens the link that was sent to a customer. */
async function begin(tenant: string): Promise<Begun> {
  const answer = await visit(`${hub.gatewayUrl}/oauth/hubspot/install?tenant=${tenant}`);
  expect(answer.status).toBe(302);
  const cookie = answer.headers.getSetCookie()[0] ?? '';
  expect(cookie).toMatch(
    /^refrain_install=[\w-]+; Path=\/oauth\/hubspot; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/,
  );
  return { location: new URL(answer.headers.get('location') ?? ''), cookie: cookie.split(';')[0] ?? '' };
}

/** The person chooses an account and agrees; gives where HubSpot sends the browser, behind the public address. */
async function agree({ location }: Begun, more: Record<string, string>): Promise<string> {
  const asked = new URL(location);
  for (const [name, value] of Object.entries(more)) asked.searchParams.set(name, value);
  const answer = await visit(asked);
  const back = new URL(answer.headers.get('location') ?? '');
  expect(back.origin).toBe('https://hub.example.test');
  return `${hub.gatewayUrl}${back.pathname}${back.search}`;
}

async function shown(answer: Response) {
  const text = await answer.text();
  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
  return { status: answer.status, text };
}

const portals = async () =>
  (await hub.control<{ installations: { portalId: number }[] }>('hubspot', 'GET', '/installations')).installations.map(
    ({ portalId }) => portalId,
  );
const installed = async () =>
  (await hub.refrain<{ installations: { tenant: string; portal: number; state: string }[] }>('installations', 'ls'))
    .installations;

describe('refuses, and keeps nothing', () => {
  afterEach(async () => {
    expect(await installed()).toEqual([]);
    expect(await portals()).toEqual([]);
  });

  it('what this browser has not begun', async () => {
    const [mine, other] = [await begin('acme'), await begin('acme')];
    const back = await agree(mine, { portal: String(ACME) });
    for (const cookie of ['', other.cookie, 'refrain_install=x', `refrain_install=${'a'.repeat(400)}`]) {
      const { status, text } = await shown(await visit(back, cookie));
      expect([status, text]).toEqual([400, expect.stringContaining('state-mismatch')]);
    }
    const stranger = await shown(await visit(`${hub.gatewayUrl}/oauth/hubspot/callback?code=x&state=y`, mine.cookie));
    expect([stranger.status, stranger.text]).toEqual([400, expect.stringContaining('state-mismatch')]);
  });

  it('an account that is not the tenant’s, and gives the tokens back', async () => {
    const begun = await begin('acme');
    const { status, text } = await shown(await visit(await agree(begun, { portal: String(FOREIGN) }), begun.cookie));
    expect([status, text]).toEqual([403, expect.stringContaining('portal-not-allowed')]);
    expect(text).toContain(`the HubSpot account ${String(FOREIGN)}, which is not one of acme`);
  });

  it('a token of another app than the one that is declared', async () => {
    const begun = await begin('blue');
    const { status, text } = await shown(await visit(await agree(begun, { portal: String(BLUE) }), begun.cookie));
    expect([status, text]).toEqual([403, expect.stringContaining('other-app')]);
  });

  it('whom the person did not agree to, and who is nobody', async () => {
    const begun = await begin('acme');
    const { status, text } = await shown(await visit(await agree(begun, { decline: '1' }), begun.cookie));
    expect([status, text]).toEqual([403, expect.stringContaining('declined')]);
    for (const query of ['?tenant=nobody', '', '?tenant=acme&tenant=blue', '?tenant=%3Cscript%3E']) {
      const nobody = await shown(await visit(`${hub.gatewayUrl}/oauth/hubspot/install${query}`));
      expect([nobody.status, nobody.text]).toEqual([404, expect.stringContaining('no-such-tenant')]);
      expect(nobody.text).not.toContain('<script');
    }
  });

  it('a code that HubSpot does not know, and one that it cannot say anything of', async () => {
    const begun = await begin('acme');
    const back = new URL(await agree(begun, { portal: String(ACME) }));
    back.searchParams.set('code', 'na1-forged');
    const forged = await shown(await visit(back, begun.cookie));
    expect([forged.status, forged.text]).toEqual([400, expect.stringContaining('BAD_AUTH_CODE')]);
    const match = { pathPrefix: '/oauth/2026-09/token' };
    const fault = { kind: 'status', code: 'INTERNAL_ERROR' };
    await hub.control('hubspot', 'POST', '/faults', { match, fault, times: 1 });
    const second = await begin('acme');
    const away = await shown(await visit(await agree(second, { portal: String(ACME) }), second.cookie));
    expect([away.status, away.text]).toEqual([502, expect.stringContaining('hubspot-away')]);
  });
});

it('ends with a working tenant; a code that comes again changes nothing', async () => {
  // What was triggered before waits for it.
  const early = await Lead.make(hub);
  expect((await hub.post(`[${early.change({ portalId: ACME })}]`)).status).toBe(200);

  const begun = await begin('acme');
  const asked = Object.fromEntries(begun.location.searchParams);
  expect(asked).toMatchObject({ scope: scopes.join(' '), code_challenge_method: 'S256' });
  const back = await agree(begun, { portal: String(ACME), lacks: 'timeline' });
  const { status, text } = await shown(await visit(back, begun.cookie));
  expect(status).toBe(200);
  expect(text).toContain(`account ${String(ACME)} is connected as <b>acme</b>`);
  expect(text).toMatch(/<li><code>timeline<\/code><\/li>/);

  await early.done(60_000);
  const late = await Lead.make(hub);
  await hub.post(`[${late.change({ portalId: ACME })}]`);
  await late.done();
  expect(await installed()).toMatchObject([{ tenant: 'acme', portal: ACME, state: 'active' }]);

  const again = await shown(await visit(back, begun.cookie));
  expect([again.status, again.text]).toEqual([400, expect.stringContaining('code-refused')]);
  expect(await installed()).toMatchObject([{ tenant: 'acme', portal: ACME, state: 'active' }]);

  const [code, state] = ['code', 'state'].map((name) => new URL(back).searchParams.get(name) ?? 'none');
  for (const secret of [code, state, begun.cookie]) expect(hub.logs()).not.toContain(secret);
}, 120_000);

it('commands use its token too; once uninstalled, what is owed there waits', async () => {
  const { objects } = await hub.refrain<{ objects: object[] }>('init', 'hubspot', '--tenant', 'acme');
  expect(objects.length).toBeGreaterThan(0);
  const shownFirst = await hub.refrain('installations', 'uninstall', 'acme');
  expect(shownFirst).toEqual({ tenant: 'acme', portal: ACME, uninstalled: false });
  await hub.refrain('installations', 'uninstall', 'acme', '--yes');
  expect(await installed()).toMatchObject([{ tenant: 'acme', state: 'uninstalled' }]);
  expect(await portals()).toEqual([]);
  const lead = await Lead.make(hub);
  await hub.post(`[${lead.change({ portalId: ACME })}]`);
  await until('it waits for the installation', async () => {
    const { gates } = await hub.refrain<{ gates: { tenant: string; owed: Record<string, number> }[] }>('limits');
    return gates.some(({ tenant, owed }) => tenant === 'acme' && Object.values(owed).some((n) => n > 0));
  });
  const other = await Lead.make(hub);
  await hub.post(`[${other.change()}]`);
  await other.done();
}, 120_000);
