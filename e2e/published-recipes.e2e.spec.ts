import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './testing/children';
import { Hub } from './testing/hub';
import { Lead } from './testing/lead';
import { until } from './testing/until';

const text = readFileSync(join(root, 'recipes/lead-qualified.yaml'), 'utf8');
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
    return taken?.length === 3;
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
