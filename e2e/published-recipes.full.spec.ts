import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './testing/children';
import { Hub } from './testing/hub';
import { Lead } from './testing/lead';
import { until } from './testing/until';

const text = readFileSync(join(root, 'libs/recipes/src/testing/lead-qualified.yaml'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'recipes-'));
const file = join(folder, 'lead-qualified.yaml');

let hub: Hub;
beforeAll(async () => {
  // No folder: the services go by what is published.
  hub = await Hub.start({ RECIPES_DIR: '', RECIPES_ENVIRONMENT: 'test' });
});
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true });
});

/** Publishes a text and resolves, once all services go by it, to its version. */
async function publish(recipe: string): Promise<string> {
  writeFileSync(file, recipe);
  const said = ['--environment', 'test', '--by', 'Ann', '--why', 'to see'];
  const { publications } = await hub.refrain<{ publications: { version: string }[] }>(
    'recipes',
    'publish',
    file,
    ...said,
  );
  const version = publications[0]?.version ?? '';
  await until(`all services go by ${version}`, () => {
    const taken = hub.logs().match(new RegExp(`"service":"[^"]+".*lead-qualified ${version}.*recipes taken up`, 'g'));
    return taken?.length === 4;
  });
  return version;
}

const versionsOf = (lead: Lead): unknown[] =>
  ['render', 'enrichment'].flatMap((context) =>
    lead
      .records(`${context}.events.v1`, `refrain.${context}.requested.v1`)
      .map(({ value }) => (JSON.parse(value.toString()) as { recipeVersion: string }).recipeVersion),
  );

it('goes by what is published, from the next webhook on, without a restart', async () => {
  const before = await Lead.make(hub);
  await hub.post(`[${before.change()}]`);
  await hub.caughtUp();
  expect(versionsOf(before)).toEqual([]);

  const first = await publish(text);
  const lead = await Lead.make(hub);
  await hub.post(`[${lead.change()}]`);
  await lead.done();
  const second = await publish(text.replace('coolDown: 24h', 'coolDown: 48h'));
  const next = await Lead.make(hub);
  await hub.post(`[${next.change()}]`);
  await next.done();

  await hub.caughtUp();
  expect(versionsOf(lead)).toEqual([first, first]);
  expect(versionsOf(next)).toEqual([second, second]);
  const told = hub.topic('recipes.events.v1').map(({ value }) => JSON.parse(value.toString()) as unknown);
  const about = { recipe: 'lead-qualified', environment: 'test', by: 'Ann', why: 'to see' };
  expect(told).toEqual([
    { ...about, version: first },
    { ...about, version: second, previous: first },
  ]);
});

it('shows beforehand what another version would do about what came, and does nothing', async () => {
  const calls = () => Promise.all((['hubspot', 'heygen', 'openai'] as const).map((vendor) => hub.calls(vendor)));
  const before = await calls();
  writeFileSync(file, text.replace('firstFilled(record.company, "your company")', 'int(record.company)'));
  interface Compared {
    service: string;
    topic: string;
    rows: number;
    changed: number;
    newlyRejected: number;
    examples: { now: string; then: string }[];
  }
  const { compared } = await hub.refrain<{ compared: Compared[] }>('recipes', 'preview', file, '--last', '1h');
  // Two leads were greeted; the one that came before anything was published was never read, and goes as it would now.
  expect(compared.find(({ service }) => service === 'render-service')).toMatchObject({ rows: 3, newlyRejected: 2 });
  writeFileSync(file, text.replace('Outreach for', 'A word for'));
  const again = await hub.refrain<{ compared: Compared[] }>('recipes', 'preview', file, '--last', '1h');
  const renders = again.compared.find(({ service }) => service === 'render-service');
  expect(renders).toMatchObject({ rows: 3, changed: 2, newlyRejected: 0 });
  expect(renders?.examples.filter(({ then }) => then.includes('heygen.generate changed'))).toHaveLength(2);
  const questions = again.compared.find(({ service }) => service === 'enrichment-service');
  expect(questions).toMatchObject({ rows: 3, changed: 0 });
  expect(await calls()).toEqual(before);
});
