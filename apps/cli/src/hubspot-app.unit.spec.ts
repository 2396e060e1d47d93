import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadRecipes, needsOf } from '#libs/recipes';
import { appFiles, appText, hubspotApp } from './hubspot-app';
import { createProgram } from './program';

const root = join(__dirname, '../../..');
const target = 'https://hub.example.com/webhooks/hubspot';
const needs = needsOf(loadRecipes(join(root, 'recipes')), 'default');

it('the committed project is what the shipped recipes give', () => {
  const committed = appFiles.map((file) => readFileSync(join(root, 'deploy/hubspot-app', file), 'utf8'));
  expect(committed).toEqual(Object.values(hubspotApp(needs, { target })).map(appText));
});

it('asks for no kind of event twice, and for those that have no type of record apart', () => {
  const { config } = hubspotApp(needs, { target })['src/app/webhooks/webhooks-hsmeta.json'] as {
    config: { subscriptions: Record<string, { subscriptionType: string; objectType?: string; active: boolean }[]> };
  };
  const { crmObjects = [], legacyCrmObjects, hubEvents } = config.subscriptions;
  expect(new Set(crmObjects.map((one) => JSON.stringify(one))).size).toBe(crmObjects.length);
  expect(
    crmObjects.every(({ subscriptionType, objectType }) => subscriptionType.startsWith('object.') && objectType),
  ).toBe(true);
  expect([legacyCrmObjects, hubEvents]).toEqual([[], [{ subscriptionType: 'contact.privacyDeletion', active: true }]]);
});

it('of a project that is there changes scopes, webhooks and target alone', () => {
  const present = {
    'src/app/app-hsmeta.json': {
      uid: 'theirs',
      type: 'app',
      config: {
        name: 'Theirs',
        distribution: 'marketplace',
        auth: {
          type: 'oauth',
          redirectUrls: ['https://x.example.com'],
          requiredScopes: ['old'],
          optionalScopes: ['content'],
        },
        permittedUrls: { fetch: ['https://hub.example.com'] },
      },
    },
    'src/app/webhooks/webhooks-hsmeta.json': {
      uid: 'hooks',
      config: { settings: { maxConcurrentRequests: 20, targetUrl: 'https://old.example.com' } },
    },
  };
  const app = hubspotApp(
    { scopes: [{ scope: 'tickets', for: [], setup: false }], subscriptions: [] },
    { target },
    present,
  );
  expect(app['src/app/app-hsmeta.json']).toMatchObject({
    uid: 'theirs',
    config: {
      name: 'Theirs',
      distribution: 'marketplace',
      auth: {
        type: 'oauth',
        redirectUrls: ['https://x.example.com'],
        requiredScopes: ['oauth', 'tickets'],
        optionalScopes: ['content'],
      },
      permittedUrls: { fetch: ['https://hub.example.com'] },
    },
  });
  expect(app['src/app/webhooks/webhooks-hsmeta.json']).toMatchObject({
    uid: 'hooks',
    config: { settings: { maxConcurrentRequests: 20, targetUrl: target } },
  });
});

describe('refrain init hubspot-app', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'hubspot-app-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  interface Printed {
    files: { file: string; state: string }[];
  }
  async function init(...args: string[]): Promise<string[]> {
    const printed: string[] = [];
    const stdout = jest.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
    const command = [
      'node',
      'refrain',
      'init',
      'hubspot-app',
      '--out',
      folder,
      '--recipes',
      join(root, 'recipes'),
      '--json',
    ];
    const environment = jest.replaceProperty(process, 'env', {});
    try {
      await createProgram().parseAsync([...command, ...args]);
    } finally {
      stdout.mockRestore();
      environment.restore();
    }
    return (JSON.parse(printed.join('')) as Printed).files.map(({ state }) => state);
  }
  const url = ['--url', 'https://hub.example.com/'];

  it('says what it would write, writes it, and leaves it as it is the next time', async () => {
    expect(await init(...url, '--dry-run')).toEqual(['new', 'new', 'new']);
    expect(await init(...url)).toEqual(['new', 'new', 'new']);
    expect(await init(...url)).toEqual(['unchanged', 'unchanged', 'unchanged']);
    expect(
      await init('--url', 'https://other.example.com', '--redirect-url', 'https://other.example.com/back'),
    ).toEqual(['unchanged', 'changed', 'changed']);
    const written = readFileSync(join(folder, 'src/app/app-hsmeta.json'), 'utf8');
    expect(JSON.parse(written)).toMatchObject({
      config: { auth: { type: 'oauth', redirectUrls: ['https://other.example.com/back'] } },
    });
  });

  it('refuses what it cannot use: no address, one that is no https, a file that is no JSON', async () => {
    await expect(init()).rejects.toThrow('--url');
    await expect(init('--url', 'http://hub.example.com')).rejects.toThrow('https');
    writeFileSync(join(folder, 'hsproject.json'), '{');
    await expect(init(...url)).rejects.toThrow('hsproject.json is there and is no JSON');
  });
});
