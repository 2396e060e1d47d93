import { RECIPES_SERVICE } from '#libs/contracts';
import { Conflict } from './errors';
import { appendPublications, type NewPublication, publicationsIn, publishedRecipes } from './recipes';
import { relayAll } from './relay';
import { testDatabase, type TestDatabase } from './testing/test-database';
import { eventId } from './shapes';

let db: TestDatabase;
beforeEach(async () => {
  db = await testDatabase();
});
afterEach(() => db.drop());

const published = (recipe: string, number: number, over: Partial<NewPublication> = {}): NewPublication => {
  const said = { recipe, environment: 'test', version: `${recipe}-${String(number)}`, by: 'Ann', why: 'because' };
  const event = { type: 'RecipePublished' as const, data: said };
  return { ...said, number, text: `text ${said.version}`, action: 'published', state: 'live', event, ...over };
};

const count = async (table: string): Promise<number> =>
  (await db.pool.query<{ n: number }>(`select count(*)::int as n from ${table}`)).rows[0]?.n ?? 0;

it('keeps who published what, where and why, and gives what is live there', async () => {
  await appendPublications(db.pool, [published('one', 1), published('two', 1)], 0);
  await appendPublications(
    db.pool,
    [
      published('one', 2, { ticket: 'T-1', approvedBy: 'Bob', action: 'promoted', source: 'dev' }),
      published('two', 2, { state: 'awaiting approval' }),
    ],
    2,
  );
  await appendPublications(db.pool, [published('three', 1, { environment: 'prod' })], 0);
  expect(await publishedRecipes(db.pool, 'test')).toEqual({
    mark: '4',
    recipes: [
      { recipe: 'one', version: 'one-2', text: 'text one-2' },
      { recipe: 'two', version: 'two-1', text: 'text two-1' },
    ],
  });
  expect(await publishedRecipes(db.pool, 'test', '4')).toBeUndefined();
  await appendPublications(db.pool, [published('one', 3, { action: 'withdrawn' })], 4);
  expect((await publishedRecipes(db.pool, 'test', '4'))?.recipes.map(({ recipe }) => recipe)).toEqual(['two']);
  const { event: _, ...second } = published('one', 2, {
    ticket: 'T-1',
    approvedBy: 'Bob',
    action: 'promoted',
    source: 'dev',
  });
  expect((await publicationsIn(db.pool, 'test', 'one'))[1]).toEqual({ ...second, at: expect.any(Date) as Date });
});

it('lets one of two publishers at once through, and the other one change nothing', async () => {
  await appendPublications(db.pool, [published('one', 1)], 0);
  const at = [
    [published('one', 2, { by: 'Ann' })],
    [published('other', 1), published('one', 2, { by: 'Bob', version: 'b', text: 'b' })],
  ];
  const ended = await Promise.allSettled(at.map((publications) => appendPublications(db.pool, publications, 1)));
  const lost = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  expect(lost).toEqual([expect.any(Conflict)]);
  const winner = ended.findIndex(({ status }) => status === 'fulfilled');
  expect(await count('recipe_publication')).toBe(1 + (at[winner]?.length ?? 0));
  expect(await count('event')).toBe(await count('recipe_publication'));
  expect((await publicationsIn(db.pool, 'test', 'one')).map(({ by }) => by)).toEqual([
    'Ann',
    winner === 0 ? 'Ann' : 'Bob',
  ]);
});

it('loses no event to a crash between commit and relay, nor to one after the log took it', async () => {
  await appendPublications(db.pool, [published('one', 1)], 0);
  await appendPublications(db.pool, [published('one', 2)], 1);
  const crash = () => Promise.reject(new Error('gone'));
  await expect(relayAll(db.pool, RECIPES_SERVICE, crash)).rejects.toThrow('gone');
  const told: string[] = [];
  const publish = (events: { streamId: string; version: number }[]) => {
    told.push(...events.map(({ streamId, version }) => eventId(streamId, version)));
    return Promise.resolve();
  };
  await expect(relayAll(db.pool, RECIPES_SERVICE, (events) => publish(events).then(crash))).rejects.toThrow('gone');
  await relayAll(db.pool, RECIPES_SERVICE, publish);
  const both = [1, 2].map((version) => eventId('recipe-default:recipe:one:test', version));
  expect(told).toEqual([...both, ...both]);
  await relayAll(db.pool, RECIPES_SERVICE, crash);
});

it('adds nothing that was decided while somebody published another recipe there', async () => {
  const both = ['one', 'two'].map((recipe) => appendPublications(db.pool, [published(recipe, 1)], 0));
  const ended = await Promise.allSettled(both);
  expect(ended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(ended.find((one) => one.status === 'rejected')?.reason).toBeInstanceOf(Conflict);
  expect(await count('recipe_publication')).toBe(1);
  await appendPublications(db.pool, [published('three', 1, { environment: 'prod' })], 0);
});
