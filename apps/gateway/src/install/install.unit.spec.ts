import { randomBytes } from 'node:crypto';
import { OwnKeys, Sealer } from '#libs/platform';
import { authorizeUrl, HubspotOauth } from '#libs/vendors/hubspot';
import { CONSENT_MS, InstallDoor, type InstallSettings } from './install';
import { refusedPage } from './page';
import { Refusal } from './refusal';

const app = {
  tenant: 'acme',
  clientId: 'client',
  clientSecret: () => 'secret',
  portals: [62515],
  scopes: ['oauth', 'tickets'],
  optionalScopes: [],
  // Nothing listens there: whoever gets this far was let through.
  baseUrl: 'http://127.0.0.1:1',
};
const settings: InstallSettings = {
  apps: [app],
  publicUrl: 'https://hub.example.test',
  appUrl: 'https://app.hubspot.com',
  sealer: new Sealer(new OwnKeys([randomBytes(32)])),
  installations: { keep: () => Promise.reject(new Error('nothing may be kept')) },
  hubspot: { authorizeUrl, oauthOf: (one) => new HubspotOauth(one) },
  logger: { info: () => undefined, warn: () => undefined },
  close: () => Promise.resolve(),
};

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'installed',
    (error: unknown) => (error instanceof Refusal ? error.code : Promise.reject(error as Error)),
  );
const stateIn = (location: string) => new URL(location).searchParams.get('state') ?? '';

afterEach(() => jest.restoreAllMocks());

it('sends a person to HubSpot with what the app is declared to ask for', async () => {
  const { location } = await new InstallDoor(settings).begin('acme');
  expect(location).toMatch(/^https:\/\/app\.hubspot\.com\/oauth\/authorize\?client_id=client&/);
  expect(location).toContain('&scope=oauth%20tickets&');
  const asked = new URL(location).searchParams;
  expect(asked.get('redirect_uri')).toBe('https://hub.example.test/oauth/hubspot/callback');
  expect(asked.get('code_challenge')).toHaveLength(43);
  expect(stateIn(location).length).toBeGreaterThanOrEqual(32);
});

it('needs no name where one tenant alone can be installed, and is told nothing by a wrong one', async () => {
  const door = new InstallDoor(settings);
  await door.begin(undefined);
  expect(await codeOf(door.begin('acm'))).toBe('no-such-tenant');
  const two = new InstallDoor({ ...settings, apps: [app, { ...app, tenant: 'blue' }] });
  expect(await codeOf(two.begin(undefined))).toBe('no-such-tenant');
});

it('takes what this browser has begun for ten minutes, and not a moment longer', async () => {
  const door = new InstallDoor(settings);
  const now = Date.now();
  const { location, cookie } = await door.begin('acme');
  const back = { code: 'c', state: stateIn(location) };
  const clock = jest.spyOn(Date, 'now').mockReturnValue(now + CONSENT_MS - 1_000);
  expect(await codeOf(door.finish(back, cookie))).toBe('hubspot-away');
  clock.mockReturnValue(now + CONSENT_MS + 1_000);
  expect(await codeOf(door.finish(back, cookie))).toBe('too-late');
});

it('takes nothing that another hub, or nobody, has sealed', async () => {
  const door = new InstallDoor(settings);
  const other = new InstallDoor({ ...settings, sealer: new Sealer(new OwnKeys([randomBytes(32)])) });
  const { location, cookie } = await other.begin('acme');
  const back = { code: 'c', state: stateIn(location) };
  expect(await codeOf(door.finish(back, cookie))).toBe('state-mismatch');
  const tokens = Buffer.from(await settings.sealer.seal('{"tenant":"acme"}', 'hubspot/acme/tokens')).toString(
    'base64url',
  );
  for (const none of [undefined, '', 'x', tokens]) expect(await codeOf(door.finish(back, none))).toBe('state-mismatch');
  const mine = await door.begin('acme');
  expect(await codeOf(door.finish({ state: stateIn(mine.location) }, mine.cookie))).toBe('state-mismatch');
});

it('shows a refusal in words, whatever a name holds', () => {
  const { status, html } = refusedPage(new Refusal('portal-not-allowed', { tenant: '<b>"acme"', portal: '1&2' }));
  expect(status).toBe(403);
  expect(html).toContain('the HubSpot account 1&amp;2, which is not one of &lt;b&gt;&quot;acme&quot;');
  expect(html).toContain('install?tenant=%3Cb%3E%22acme%22');
});
