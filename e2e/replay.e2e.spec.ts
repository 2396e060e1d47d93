import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './testing/children';
import { Hub } from './testing/hub';
import { Lead, once, settled } from './testing/lead';
import { quiet } from './testing/quiet';

// Yesterday's recipe has a mistake: it makes no video for a lead without an industry. Today's has none.
const today = readFileSync(join(root, 'libs/recipes/src/testing/lead-qualified.yaml'), 'utf8');
const yesterday = today.replace('firstname: person-name', 'firstname: person-name\n        industry: present');
const recipes = mkdtempSync(join(tmpdir(), 'recipes-'));
const publish = (text: string) => {
  writeFileSync(join(recipes, 'lead-qualified.yaml'), text);
};

interface Plan {
  replay: { id: string; state: string };
  items: { planned: number; applied: number; held: number };
  then: Record<string, number>;
  events: Record<string, number>;
  effects: Record<string, Record<string, number>>;
  assumed: number;
  cost: Record<string, number>;
}

let hub: Hub;
let leads: Lead[];
beforeAll(async () => {
  publish(yesterday);
  hub = await Hub.start({ RECIPES_DIR: recipes });
  leads = await Promise.all([1, 2, 3].map(() => Lead.make(hub)));
  for (const lead of leads) await hub.post(`[${lead.change()}]`);
  await Promise.all(leads.map((lead) => lead.has({ lead_score: true })));
  await hub.caughtUp();
});
afterAll(async () => {
  await hub?.stop();
  rmSync(recipes, { recursive: true });
});

const ofLeads = `value.propertyName == "lifecyclestage" && value.propertyValue == "marketingqualifiedlead"`;
const plan = () =>
  hub.refrain<Plan>('replay', '--service', 'render-service', '--topic', 'ingress.hubspot.v1', '--filter', ofLeads);

/** What the world outside has seen so far: every vendor's calls, and every record on every topic, byte for byte. */
const world = async () => {
  await quiet(hub);
  return {
    calls: await Promise.all((['hubspot', 'heygen', 'openai'] as const).map((vendor) => hub.calls(vendor))),
    records: hub.records.map(({ topic, key, value, headers }) => [topic, key, value.toString('base64'), headers]),
  };
};

it('made no video yesterday', async () => {
  expect(await Promise.all(leads.map((lead) => lead.billedRenders()))).toEqual([[], [], []]);
  for (const lead of leads) expect(lead.records('render.events.v1', 'refrain.render.rejected.v1')).toHaveLength(1);
});

it('after the fix shows what a replay would do and cost, and then does exactly that, once', async () => {
  publish(today);
  await hub.kill('render-service');
  const before = await world();
  const shown = await plan();
  expect(shown).toMatchObject({
    replay: { state: 'planned' },
    items: { planned: 3, applied: 0, held: 0 },
    then: { same: 3, differs: 0, 'no then': 0 },
    events: { 'refrain.render.prepared.v1': 3, 'refrain.render.submitted.v1': 3 },
    assumed: 0,
    cost: { credits: 3 },
  });
  // The first reading asked for one property more: today's is another request, and the stored answer serves it.
  expect(shown.effects).toEqual({ 'hubspot.read': { changed: 3 }, 'heygen.generate': { new: 3 } });
  expect(await world()).toEqual(before);

  const applied = await hub.refrain<Plan>('replay', 'apply', shown.replay.id);
  expect(applied).toMatchObject({ replay: { state: 'done' }, items: { planned: 0, applied: 3, held: 0 } });
  for (const lead of leads) await lead.done();
  await settled(hub);
  for (const lead of leads) expect(await lead.outcome()).toEqual(once);
});

it('replayed once more does nothing, whichever service looks again', async () => {
  const before = await world();
  const again = await plan();
  expect(again.effects).toMatchObject({ 'heygen.generate': { skipped: 4 } });
  expect(again.cost).toEqual({});
  const filter = ['--topic', 'ingress.hubspot.v1', '--filter', ofLeads];
  const questions = await hub.refrain<Plan>('replay', '--service', 'enrichment-service', ...filter);
  expect(questions.effects).toEqual({ 'hubspot.notes': { skipped: 4 }, 'openai.ask': { skipped: 4 } });
  expect(await world()).toEqual(before);
  for (const { replay } of [again, questions]) await hub.refrain('replay', 'apply', replay.id);
  await settled(hub);
  expect(await Promise.all(leads.map(async (lead) => (await lead.outcome()).billedRenders))).toEqual([1, 1, 1]);
  expect(await Promise.all(leads.map(async (lead) => (await lead.outcome()).billedQuestions))).toEqual([1, 1, 1]);
});

it('tells the whole story of a contact', async () => {
  const [lead] = leads;
  const story = await hub.refrain<{ events: { type: string }[]; effects: { kind: string; state: string }[] }>(
    'explain',
    lead?.id ?? '',
  );
  expect(story.events.map(({ type }) => type)).toEqual(
    expect.arrayContaining([
      'refrain.render.rejected.v1',
      'refrain.render.prepared.v1',
      'refrain.render.completed.v1',
      'refrain.enrichment.completed.v1',
      'refrain.record.updated.v1',
    ]),
  );
  // A write that still waited may have given way to a newer one.
  const ended = story.effects.filter(({ state }) => state !== 'superseded');
  expect(new Set(ended.map(({ kind, state }) => `${kind} ${state}`))).toEqual(
    new Set([
      'hubspot.read done',
      'hubspot.notes done',
      'heygen.generate done',
      'openai.ask done',
      'hubspot.update done',
    ]),
  );
});
