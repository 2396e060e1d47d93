// What recipes cost an event: a hundred of them against one, and matching with mapping against the expressions alone.
import { compile } from '#libs/expressions';
import { matching, prepareWrite, type Recipe, readRecipes, stepsOf } from '#libs/recipes';
import type { HubspotChange } from '#libs/contracts';
import type { Figure } from '../scripts/bench/main.mts';
import { median, ratioOf } from '../scripts/bench/rounds.mts';

const ROUNDS = 5;
const EVENTS = 20_000;
const MANY = 100;
const FLOOR = 20_000;

/** Times matching and mapping in this process, on one core; needs neither broker nor database. */
export function suite(_infra: unknown, figure: (f: Figure) => void): Promise<void> {
  const many = readRecipes(
    Array.from({ length: MANY }, (_, i) => ({ file: `r${String(i)}.yaml`, text: recipeText(i) })),
  );
  const one = many.slice(0, 1);
  const parties = { many: () => matchAll(many), one: () => matchAll(one), expressions: expressionsAlone };
  const names = ['many', 'one', 'expressions'] as const;
  const rates: Record<(typeof names)[number], number[]> = { many: [], one: [], expressions: [] };
  for (const name of names) parties[name]();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const turn of names.keys()) {
      const name = names[(round + turn) % names.length] ?? 'many';
      const begun = process.cpuUsage();
      parties[name]();
      const { user, system } = process.cpuUsage(begun);
      rates[name].push((EVENTS * 1e6) / (user + system));
    }
  }
  const cost = ratioOf(rates.one, rates.many);
  figure({
    suite: 'recipes',
    name: `matching and mapping one event, ${String(MANY)} recipes loaded`,
    value: Number((1e6 / median(rates.many)).toFixed(2)),
    unit: 'us',
    against: `one recipe loaded: ${(1e6 / median(rates.one)).toFixed(2)} us; ratios ${cost.spread}`,
    ratio: cost.ratio,
    target: '<= 2',
    ok: cost.ratio <= 2,
  });
  const rate = median(rates.many);
  const ceiling = ratioOf(rates.many, rates.expressions);
  figure({
    suite: 'recipes',
    name: `events matched and mapped on one core, ${String(MANY)} recipes loaded`,
    value: Math.round(rate),
    unit: 'events/s',
    against: `${String(FLOOR)}/s, or 0.7 of the same expressions alone: ${String(Math.round(median(rates.expressions)))}/s, ratios ${ceiling.spread}`,
    ratio: ceiling.ratio,
    target: `>= ${String(FLOOR)}/s or >= 0.7`,
    ok: rate >= FLOOR || ceiling.ratio >= 0.7,
  });
  return Promise.resolve();
}

const WHEN = 'event.value != null && event.value.size() > 3';
const mappings = {
  full_name: 'firstFilled(record.firstname, "Sir or Madam") + " " + record.lastname',
  size_band: 'double(record.employees) >= 1000.0 ? "large" : "small"',
  stage: 'record.lifecyclestage == "lead" ? "opportunity" : record.lifecyclestage',
};

/** Ten recipes wait for each property: one of them for this value. */
const recipeText = (i: number): string => `recipe: r-${String(i)}
trigger: { object: contact, property: property_${String(i % 10)}, becomes: ["value-${String(i)}"], when: '${WHEN}' }
steps:
  - write:
      properties:
${Object.entries(mappings)
  .map(([name, source]) => `        ${name}: '\${${source}}'`)
  .join('\n')}
`;

const change: HubspotChange = {
  delivery: 'webhook',
  record: { type: 'contact', id: '7' },
  change: 'propertyChange',
  property: 'property_0',
  value: 'value-0',
  occurredAt: 1_762_387_200_000,
  changeSource: 'CRM_UI',
  identity: 'i',
};
const record = { firstname: 'Ada', lastname: 'Lovelace', employees: '1200', lifecyclestage: 'lead' };
const bindings = { record, steps: {}, time: '2026-11-21T10:00:00.000Z' };

function matchAll(recipes: readonly Recipe[]): void {
  for (let n = 0; n < EVENTS; n += 1) {
    for (const { recipe } of matching(recipes, change, 'us', 'default')) {
      for (const step of stepsOf(recipe, 'write')) {
        const prepared = prepareWrite(step, bindings);
        if ('rejected' in prepared || prepared.properties['size_band'] !== 'large') throw new Error('mapped wrongly');
      }
    }
  }
}

const when = compile(WHEN, { variables: { event: 'any' } });
const texts = Object.values(mappings).map((source) => compile(source, { variables: { record: 'named' } }));

function expressionsAlone(): void {
  const event = { value: 'value-0' };
  for (let n = 0; n < EVENTS; n += 1) {
    if (when.evaluate({ event }) !== true) throw new Error('not met');
    for (const text of texts) text.evaluate(bindings);
  }
}
