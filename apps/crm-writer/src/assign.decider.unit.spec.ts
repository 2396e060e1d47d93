import type { CrmEvent } from '#libs/contracts';
import { HeldTables } from '#libs/expressions';
import { labelOf, type Recipe, readRecipe, type ReferenceTables, stepsOf, tablesWith } from '#libs/recipes';
import { given as givenOf } from '../../../libs/process/src/testing/given';
import type { AssignDue } from './assign.decider';
import { recordDecider, type RecordInput } from './record.decider';

const tablesOf = (territory: string): ReferenceTables => {
  const held = new HeldTables();
  held.load('territories', 't.csv', `country,territory\nAT,${territory}\n`);
  return { has: () => true, names: () => ['territories'], get: held.get.bind(held), version: held.version.bind(held) };
};
const recipeOf = (assign: string, tables = tablesWith({}), coolDown = '24h'): Recipe => {
  const text = `recipe: r\ntrigger: { object: contact, property: p }\ncoolDown: ${coolDown}\nsteps:\n  - name: seller\n${assign}\n`;
  const read = readRecipe(text, 'r.yaml', undefined, { tables });
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  return read.recipe;
};
const plain = recipeOf('    assign: { rota: emea, among: ["11", "12"] }');
const looking = (territory: string) =>
  recipeOf(
    `    assign: { rota: '\${lookup("territories", record.country, "territory")}', among: "11, 12;13" }`,
    tablesOf(territory),
  );

const given = (...history: CrmEvent[]) => givenOf(recordDecider, ...history);
const record = { type: 'contact', id: '7' };
const time = '2026-11-21T10:00:00.000Z';
const guard = { at: time, number: 0, rank: 3 };
const followed = { time, guard, results: { trigger: { plan: 'a' } }, content: 'p=x' };

const due = (recipe: Recipe, over: Partial<AssignDue> = {}): RecordInput => {
  const [step] = stepsOf(recipe, 'assign');
  if (!step) throw new Error('the recipe assigns nothing');
  const assigns = [{ recipe, step, ...followed, rootCause: 'cause', ...over }];
  return { type: 'told', record, wishes: [], steps: [], assigns };
};
const read = (recipe: Recipe | undefined, properties?: Record<string, string | null>): RecordInput => ({
  type: 'assign-read',
  purpose: 'assign-r|s',
  record,
  read: { name: { recipe: 'r', step: 'seller' }, recipe, rootCause: 'cause', properties },
});
const about = (recipe: Recipe) => ({ recipe: 'r', recipeVersion: recipe.version, step: 'seller', rootCause: 'cause' });
const said = <Type extends CrmEvent['type']>(type: Type, recipe: Recipe, more: object = {}) =>
  ({ type, data: { ...about(recipe), ...followed, ...more } }) as unknown as CrmEvent;
const wanted = said('OwnerWanted', plain, { rota: 'emea', among: ['11', '12'] });

it('wants the next in turn, at once where nothing must be read, and once for a root cause', () => {
  expect(given()(due(plain))).toEqual({ events: [wanted] });
  expect(given(wanted)(due(plain))).toEqual({ events: [] });
});

it('reads what it needs first, and says again what it reads where it is told again', () => {
  const at = looking('dach');
  const requested = said('OwnerRequested', at);
  const call = {
    kind: 'hubspot.read',
    purpose: 'assign-r|seller',
    request: { record, properties: ['country'], notes: 0 },
    recipes: [labelOf(at)],
  };
  expect(given()(due(at))).toEqual({ events: [requested], effects: [call] });
  expect(given(requested)(due(at))).toEqual({ events: [], effects: [call] });
  const looked = [{ table: 'territories', key: 'at', column: 'territory', found: 'dach' }];
  expect(given(requested)(read(at, { country: 'AT' }))).toEqual({
    events: [said('OwnerWanted', at, { rota: 'dach', among: ['11', '12', '13'], looked })],
  });
});

it('another trigger of the same content within the cool-down uses no turn; of another content or later it does', () => {
  const other = (over: Partial<AssignDue>) => given(wanted)(due(plain, { rootCause: 'other', ...over })).events;
  const later = (ms: number) => ({ guard: { ...guard, at: new Date(Date.parse(time) + ms).toISOString() } });
  expect(other({})).toEqual([]);
  expect(other(later(23 * 3_600_000))).toEqual([]);
  expect(other(later(24 * 3_600_000))).toHaveLength(1);
  expect(other({ content: 'p=y' })).toHaveLength(1);
  const requested = said('OwnerRequested', plain);
  expect(given(requested)(due(plain, { rootCause: 'other' })).events).toEqual([]);
  const rejected = said('OwnerRejected', plain, { code: 'nobody', reason: 'x' });
  expect(given(rejected)(due(plain, { rootCause: 'other' })).events).toHaveLength(1);
});

it.each([
  ['nobody', recipeOf(`    assign: { rota: emea, among: '\${["", null]}' }`)],
  ['no-rota', recipeOf(`    assign: { rota: "\${null}", among: ["1"] }`)],
  ['no-rota', recipeOf('    assign: { rota: "a:b", among: ["1"] }')],
  ['not-met', recipeOf('    when: 1 > 2\n    assign: { rota: emea, among: ["1"] }')],
  ['expression', recipeOf(`    assign: { rota: '\${string(int("x"))}', among: ["1"] }`)],
])('says %s where nobody takes the record, once', (code, recipe) => {
  const { events, effects } = given()(due(recipe));
  const rejected = said('OwnerRejected', recipe, { code, reason: expect.any(String) as string });
  expect([events, effects]).toEqual([[rejected], undefined]);
  expect(given(...events)(due(recipe)).events).toEqual([]);
  // Looked at again when somebody is there.
  expect(given(...events)(due(plain)).events).toEqual([wanted]);
});

it('says who has the record, with what the steps behind need, when the rota has told it, once', () => {
  const turn = { recipe: 'r', step: 'seller', rootCause: 'cause', rota: 'emea', owner: '12' };
  const assigned = said('OwnerAssigned', plain, { rota: 'emea', owner: '12' });
  expect(given(wanted)({ type: 'turn-taken', turn })).toEqual({ events: [assigned] });
  expect(given(wanted, assigned)({ type: 'turn-taken', turn: { ...turn, owner: '11' } })).toEqual({ events: [] });
  expect(given()({ type: 'turn-taken', turn })).toEqual({ events: [] });
  expect(given(wanted, assigned)(due(plain))).toEqual({ events: [] });
});

it('a record that cannot be read and a recipe that is gone are told', () => {
  const at = looking('dach');
  const requested = said('OwnerRequested', at);
  expect(given(requested)(read(at)).events).toEqual([
    said('OwnerRejected', at, { code: 'unreadable', reason: 'the record could not be read' }),
  ]);
  expect(given(requested)(read(undefined, {})).events).toEqual([
    said('OwnerRejected', at, { code: 'recipe-gone', reason: expect.any(String) as string }),
  ]);
});
