import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hub } from './testing/hub';
import { Lead, settled } from './testing/lead';
import { until } from './testing/until';

// Machines that answer what the hub does: it serves people always, and machines only so far.

const folder = mkdtempSync(join(tmpdir(), 'loops-'));
const recipes = join(folder, 'recipes');
const answer =
  '{ type: object, additionalProperties: false, required: [wish], properties: { wish: { type: string } } }';
const files: Record<string, string> = {
  'greeted.yaml': `recipe: greeted
trigger: { object: contact, property: jobtitle }
coolDown: 1m
steps:
  - video:
      template: demo-outreach
      title: For \${text(record.firstname)}
      require: { firstname: person-name }
      variables: { first_name: "\${record.firstname}", company: you, recent_event: hello }
`,
  'judged.yaml': `recipe: judged
trigger: { object: contact, property: city }
coolDown: 1m
steps:
  - name: judged
    ask: { model: gpt-6-luna, properties: [lastname, city], instruction: Say what the lead wants., answer: ${answer} }
  - write: { properties: { ai_lead_summary: "\${steps.judged.wish}" } }
`,
  'noted.yaml': `recipe: noted
trigger: { object: contact, property: industry, take: { it: event.value } }
steps:
  - write: { properties: { ai_qualification_summary: "was \${steps.trigger.it}", company: "of \${steps.trigger.it}" } }
`,
  'moved.yaml': `recipe: moved
trigger: { object: contact, property: company }
steps:
  - write: { properties: { ai_lead_summary: moved } }
`,
};

let hub: Hub;
beforeAll(async () => {
  mkdirSync(recipes);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(recipes, name), text);
  // What the witness of `settled` is served by.
  copyFileSync('libs/recipes/src/testing/lead-qualified.yaml', join(recipes, 'lead-qualified.yaml'));
  hub = await Hub.start({ RECIPES_DIR: recipes });
});
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true });
});

const set = (lead: Lead, properties: Record<string, string>, changeSource = 'CRM_UI') =>
  hub.control('hubspot', 'PATCH', `/ui/contacts/${lead.id}`, { properties, changeSource });
const of = (lead: Lead, topic: string, type: string) => lead.records(`${topic}.events.v1`, `refrain.${type}.v1`);

/** A workflow that answers each write of the hub to a contact, until it is told to end. */
function workflow(lead: Lead, answers: (n: number) => Promise<unknown>): { end: () => Promise<number> } {
  let answered = 0;
  let over = false;
  const running = (async () => {
    while (!over) {
      const writes = await lead.patches();
      while (answered < writes.length) await answers((answered += 1));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  return {
    async end() {
      over = true;
      await running;
      return answered;
    },
  };
}

it('a workflow that answers each write by setting off the recipe again ends: the vendor is billed four times', async () => {
  const lead = await Lead.make(hub);
  const loop = workflow(lead, (n) => set(lead, { jobtitle: `title ${String(n)}` }, 'AUTOMATION_PLATFORM'));
  await set(lead, { jobtitle: 'title' });
  await until('the loop is cut', () => of(lead, 'render', 'render-loop.cut').length > 0);
  await until('what was let in is done', async () => {
    const billed = await lead.billedRenders();
    return billed.length > 0 && of(lead, 'render', 'render.completed').length === billed.length;
  });
  await settled(hub);
  await settled(hub);
  const answered = await loop.end();
  expect(answered).toBe((await lead.patches()).length);
  expect(await lead.billedRenders()).toHaveLength(4);
  expect(of(lead, 'render', 'render-loop.cut')).toHaveLength(1);
  const codes = of(lead, 'render', 'render.rejected').map(({ value }) => JSON.parse(String(value)) as { code: string });
  expect(new Set(codes.map(({ code }) => code))).toEqual(new Set(['loop']));
  await until('there is an alert', () => hub.logs().includes('the loop is cut'));
  const [alert] = /^.*the loop is cut.*$/m.exec(hub.logs()) ?? [];
  expect(JSON.parse(alert ?? '{}')).toMatchObject({ level: 'warn', by: 'render-service', recipe: 'greeted' });
  // A person is served again, also while machines are not.
  await set(lead, { jobtitle: 'by hand' });
  await until('a person is served', async () => (await lead.billedRenders()).length === 5);
});

it('fifty changes by people and imports in ten minutes are all served', async () => {
  const lead = await Lead.make(hub);
  const begun = Date.now() - 600_000;
  const all = Array.from({ length: 50 }, (_, n) =>
    lead.change({
      propertyName: 'city',
      propertyValue: `city ${String(n)}`,
      occurredAt: begun + n * 12_000,
      ...(n % 2 === 0 ? {} : { changeSource: 'IMPORT', sourceId: '77' }),
    }),
  );
  await hub.post(`[${all.join(',')}]`);
  await until('all were judged', () => of(lead, 'enrichment', 'enrichment.completed').length === 50, 90_000);
  expect(of(lead, 'enrichment', 'enrichment.rejected')).toEqual([]);
});

it('a machine that repeats the very value that the hub wrote sets off nothing, a person does', async () => {
  const lead = await Lead.make(hub);
  await set(lead, { industry: 'ACCOUNTING' });
  await until('it is noted', async () => (await lead.writesOf('company', 'of ACCOUNTING')) === 1);
  await until('that is known', () => of(lead, 'crm', 'record.updated').length > 0);
  await hub.caughtUp();
  const repeat = { propertyName: 'company', propertyValue: 'of ACCOUNTING' };
  await hub.post(`[${lead.change({ ...repeat, changeSource: 'AUTOMATION_PLATFORM', sourceId: 'workflow' })}]`);
  await hub.caughtUp();
  const moved = () => of(lead, 'crm', 'record-step.filled').filter(({ value }) => String(value).includes('"moved"'));
  expect(moved()).toEqual([]);
  await hub.post(`[${lead.change(repeat)}]`);
  await until('a person sets it off', () => moved().length === 1);
});

it('a property that another system sets back again and again is left to it; the others are written', async () => {
  const lead = await Lead.make(hub);
  const writes = () => lead.writesOf('ai_qualification_summary');
  for (let round = 1; round <= 5; round += 1) {
    await set(lead, { industry: `industry ${String(round)}` });
    await until(`write ${String(round)}`, async () => (await writes()) === round);
    await until('it is known', () => of(lead, 'crm', 'record.updated').length >= round);
    await hub.caughtUp();
    await set(lead, { ai_qualification_summary: `not so ${String(round)}` }, 'INTEGRATION');
    await until(`round ${String(round)} is seen`, () => of(lead, 'crm', 'record.set-elsewhere').length === round);
  }
  await until('it is cut', () => of(lead, 'crm', 'record-loop.cut').length === 1);
  await set(lead, { industry: 'industry 6' });
  await until('the step is filled', () => of(lead, 'crm', 'record-step.filled').length === 6);
  await settled(hub);
  expect(await writes()).toBe(5);
  const [cut] = of(lead, 'crm', 'record-loop.cut');
  expect(JSON.parse(String(cut?.value))).toMatchObject({ recipe: 'noted', property: 'ai_qualification_summary' });
  expect(hub.logs()).toMatch(/"by":"crm-writer","recipe":"noted","property":"ai_qualification_summary"/);
});
