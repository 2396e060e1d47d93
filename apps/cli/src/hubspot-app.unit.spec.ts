import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadRecipes, needsOf } from '#libs/recipes';
import { appFiles, appText, hubspotApp } from './hubspot-app';
import { CARDS } from './hubspot-card';
import { createProgram } from './program';

const root = join(__dirname, '../../..');
const gateway = 'https://hub.example.com';
const target = `${gateway}/webhooks/hubspot`;
const needs = needsOf(loadRecipes(join(root, 'recipes')), 'default');

it('the committed project is what the shipped recipes give', () => {
  const committed = appFiles.map((file) => readFileSync(join(root, 'deploy/hubspot-app', file), 'utf8'));
  expect(committed).toEqual(Object.values(hubspotApp(needs, { gateway })).map(appText));
});

it('asks for no kind of event twice, and for those that have no type of record apart', () => {
  const { config } = hubspotApp(needs, { gateway })['src/app/webhooks/webhooks-hsmeta.json'] as {
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
    { gateway },
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

it('permits the card to ask the gateway, in the place of where it was, and leaves what others permitted', () => {
  const present = {
    'src/app/app-hsmeta.json': {
      config: {
        permittedUrls: { fetch: ['https://x.example.com', 'https://old.example.com'], img: ['https://i.example.com'] },
      },
    },
    'src/app/webhooks/webhooks-hsmeta.json': {
      config: { settings: { targetUrl: 'https://old.example.com/webhooks/hubspot' } },
    },
  };
  const urls = (app: Record<string, object>) => app['src/app/app-hsmeta.json'] as { config: { permittedUrls: object } };
  expect(urls(hubspotApp(needs, { gateway: 'https://hub.example.com/below' }, present)).config.permittedUrls).toEqual({
    fetch: ['https://x.example.com', 'https://hub.example.com'],
    iframe: [],
    img: ['https://i.example.com'],
  });
});

it('a card that is there keeps its uid, its name and where it is shown', () => {
  const file = 'src/app/cards/record-card-hsmeta.json';
  const present = { [file]: { uid: 'theirs', config: { name: 'Videos', objectTypes: ['contacts'] } } };
  expect(hubspotApp(needs, { gateway }, present)[file]).toMatchObject({
    uid: 'theirs',
    type: 'card',
    config: {
      name: 'Videos',
      objectTypes: ['contacts'],
      location: 'crm.record.tab',
      entrypoint: '/app/cards/record-card.tsx',
    },
  });
});

describe('refrain init hubspot-app', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'hubspot-app-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  interface Printed {
    files: { file: string; state: string }[];
  }
  let settings: Record<string, string> = {};
  beforeEach(() => (settings = {}));
  async function init(...args: string[]): Promise<Record<string, string>> {
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
    const environment = jest.replaceProperty(process, 'env', settings);
    try {
      await createProgram().parseAsync([...command, ...args]);
    } finally {
      stdout.mockRestore();
      environment.restore();
    }
    return Object.fromEntries((JSON.parse(printed.join('')) as Printed).files.map(({ file, state }) => [file, state]));
  }
  const url = ['--url', 'https://hub.example.com/'];

  const statesOf = (files: Record<string, string>) => [...new Set(Object.values(files))];
  const contentOf = (file: string) => readFileSync(join(folder, file), 'utf8');

  it('says what it would write, writes it, and leaves it as it is the next time', async () => {
    expect(statesOf(await init(...url, '--dry-run'))).toEqual(['new']);
    expect(readdirSync(folder)).toEqual([]);
    expect(statesOf(await init(...url))).toEqual(['new']);
    expect(statesOf(await init(...url))).toEqual(['unchanged']);
    const moved = await init(
      ...['--url', 'https://other.example.com', '--redirect-url', 'https://other.example.com/back'],
    );
    expect(Object.keys(moved).filter((file) => moved[file] !== 'unchanged')).toEqual([
      'src/app/app-hsmeta.json',
      'src/app/webhooks/webhooks-hsmeta.json',
      'src/app/cards/gateway.ts',
    ]);
    expect(JSON.parse(contentOf('src/app/app-hsmeta.json'))).toMatchObject({
      config: {
        auth: { type: 'oauth', redirectUrls: ['https://other.example.com/back'] },
        permittedUrls: { fetch: ['https://other.example.com'] },
      },
    });
  });

  it('asks for the scope of timelines only where the account has them written by events', async () => {
    const recipe = join(folder, 'recipe.yaml');
    writeFileSync(
      recipe,
      'recipe: r\ntrigger: { object: deal, property: p }\nsteps: [{ write: { event: { type: x } } }]\n',
    );
    const asked = async () => {
      await init(...url, '--recipes', recipe);
      const written = JSON.parse(readFileSync(join(folder, 'src/app/app-hsmeta.json'), 'utf8')) as {
        config: { auth: { requiredScopes: string[] } };
      };
      return written.config.auth.requiredScopes.filter((scope) => /timeline|contacts\.write$/.test(scope)).sort();
    };
    expect(await asked()).toEqual(['crm.objects.contacts.write', 'crm.schemas.contacts.write']);
    settings = { HUBSPOT_TIMELINE: 'events' };
    expect(await asked()).toEqual(['crm.schemas.contacts.write', 'timeline']);
  });

  it('writes the whole card, which asks the gateway', async () => {
    await init('--url', "https://hub.example.com/it's/");
    const shipped = readdirSync(join(root, 'deploy/hubspot-app', CARDS)).filter((name) => name !== 'node_modules');
    expect(readdirSync(join(folder, CARDS)).sort()).toEqual(shipped.sort());
    expect(contentOf(`${CARDS}/gateway.ts`)).toContain("export const GATEWAY = 'https://hub.example.com/it%27s';\n");
  });

  it('writes nothing of its card over one that somebody changed, unless it is told to', async () => {
    await init(...url);
    const [changed, lost] = [`${CARDS}/video.tsx`, `${CARDS}/words.ts`];
    const shipped = contentOf(changed);
    writeFileSync(join(folder, changed), `${shipped}// theirs\n`);
    rmSync(join(folder, lost));
    expect(await init(...url)).toMatchObject({
      [changed]: 'kept',
      [lost]: 'left out',
      [`${CARDS}/hub.ts`]: 'unchanged',
    });
    expect([contentOf(changed), existsSync(join(folder, lost))]).toEqual([`${shipped}// theirs\n`, false]);
    expect(await init(...url, '--replace-card')).toMatchObject({ [changed]: 'changed', [lost]: 'new' });
    expect(contentOf(changed)).toBe(shipped);
    expect(statesOf(await init(...url))).toEqual(['unchanged']);
  });

  it('refuses what it cannot use: no address, one that is no https, a file that is no JSON', async () => {
    await expect(init()).rejects.toThrow('--url');
    await expect(init('--url', 'http://hub.example.com')).rejects.toThrow('https');
    writeFileSync(join(folder, 'hsproject.json'), '{');
    await expect(init(...url)).rejects.toThrow('hsproject.json is there and is no JSON');
  });
});
