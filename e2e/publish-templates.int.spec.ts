import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProgram } from '../apps/cli/src/program';
import { testDatabase, type TestDatabase } from '../libs/event-store/src/testing/test-database';
import { Watchdog } from './testing/children';
import { accountOf, newSecrets } from './testing/secrets';
import { type Sandbox, startSandbox } from './testing/vendors';

// What a recipe gives a template is compared with what HeyGen says that the template has, before it is live.

const watchdog = new Watchdog();
const secrets = newSecrets();
const folder = mkdtempSync(join(tmpdir(), 'publish-templates-'));
let heygen: Sandbox;
let db: TestDatabase;

beforeAll(async () => {
  const nowhere = { url: 'http://127.0.0.1:1', publicUrl: 'http://127.0.0.1:1' };
  heygen = await startSandbox('heygen', secrets, accountOf({}), nowhere, {}, watchdog);
});
afterAll(async () => {
  await heygen.child.stop();
  await watchdog.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  db = await testDatabase();
});
afterEach(() => db.drop());

const recipe = (template: string, variables: string, option = 'folder: f1'): string => {
  const text = `recipe: greet
trigger: { object: contact, property: lifecyclestage }
steps:
  - video: { template: ${template}, title: Hello, variables: { ${variables} }, ${option} }
`;
  const file = join(folder, 'greet.yaml');
  writeFileSync(file, text);
  return file;
};
const right = 'first_name: Ada, company: Example, recent_event: fair';

async function publish(file: string, { args = [] as string[], settings = {} } = {}) {
  const written = { out: '', err: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    jest.spyOn(process[stream], 'write').mockImplementation((text) => {
      written[stream === 'stdout' ? 'out' : 'err'] += String(text);
      return true;
    }),
  );
  const env = { DATABASE_URL: db.url, HEYGEN_BASE_URL: heygen.url, HEYGEN_API_KEY: secrets.heygenApiKey, ...settings };
  const environment = jest.replaceProperty(process, 'env', env);
  try {
    const command = ['node', 'refrain', 'recipes', 'publish', file, '--by', 'Ann', '--why', 'because', '--json'];
    await createProgram().parseAsync([...command, ...args]);
    return { ...written, exitCode: process.exitCode };
  } finally {
    process.exitCode = undefined;
    environment.restore();
    for (const spy of spies) spy.mockRestore();
  }
}

const live = async () => (await db.pool.query("select from event where type like '%recipe.published%'")).rowCount;

it('publishes what fits', async () => {
  const { err, exitCode } = await publish(recipe('demo-outreach', right));
  expect([exitCode, err]).toEqual([undefined, expect.not.stringContaining('template')]);
  expect(await live()).toBe(1);
});

it.each([
  ['a variable that is not given', 'demo-outreach', 'first_name: Ada, company: Example', /gives no recent_event/],
  ['one that the template does not have', 'demo-outreach', `${right}, mood: good`, /gives mood, which the template/],
  ['a template that is not there', 'gone', right, /no such template/],
])('publishes nothing for %s, and says which', async (_, template, variables, why) => {
  const { err, out, exitCode } = await publish(recipe(template, variables));
  expect(err).toMatch(why);
  expect((JSON.parse(out) as { faults: string[] }).faults).toEqual([expect.stringMatching(why)]);
  expect([exitCode, await live()]).toEqual([1, 0]);
  expect((await publish(recipe(template, variables), { args: ['--any-template'] })).exitCode).toBeUndefined();
  expect(await live()).toBe(1);
});

it('compares the types of variables', async () => {
  await heygen.control('POST', '/templates', { id: 'typed', variables: { photo: 'image' } });
  expect((await publish(recipe('typed', 'photo: x'))).err).toMatch(/variable photo is of type image/);
  expect(await live()).toBe(0);
  const photo = 'photo: { image: { url: "${record.photo}" } }';
  expect((await publish(recipe('typed', photo))).exitCode).toBeUndefined();
  expect(await live()).toBe(1);
});

it.each([
  ['v3', 'dimension: { width: 720, height: 1280 }', /asks for 720 × 1280, and the template is 16:9/],
  ['v2', 'subtitles: { preset_name: bold }', /has subtitles, which version 2 does not take/],
])('names what the template, or version %s, does not take of how it is made', async (HEYGEN_API, option, why) => {
  expect((await publish(recipe('demo-outreach', right, option), { settings: { HEYGEN_API } })).err).toMatch(why);
  expect(await live()).toBe(0);
});

it.each([
  ['no key is there', { HEYGEN_API_KEY: undefined }, /HEYGEN_API_KEY is not set here/],
  ['HeyGen does not answer', { HEYGEN_BASE_URL: 'http://127.0.0.1:1' }, /were not compared/],
  ['the key is wrong', { HEYGEN_API_KEY: 'wrong' }, /were not compared/],
])('publishes where %s, and says that nothing was compared', async (_, settings, why) => {
  const { err, exitCode } = await publish(recipe('gone', right), { settings });
  expect(err).toMatch(why);
  expect([exitCode, await live()]).toEqual([undefined, 1]);
});
