import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  EVENT_TYPE,
  GENERIC_RECEIVED,
  HUBSPOT_RECEIVED,
  type Publication,
  readEvent,
  RECIPES_SERVICE,
  recipeEvents,
  Topic,
  topics,
} from '#libs/contracts';
import { publicationsIn, publishedRecipes, relayAll } from '#libs/event-store';
import { LogProducer } from '#libs/log';
import { type Field, readRecipe, RecipeBook, RecipeFault } from '#libs/recipes';
import { testDatabase, type TestDatabase } from '../../../libs/event-store/src/testing/test-database';
import { until } from '../../../libs/event-store/src/testing/until';
import { createTopics, testConnection, TopicReader } from '../../../libs/log/src/testing/log-fixture';
import { createProgram } from './program';
import { append } from './registry';

const plain = readFileSync(join(__dirname, '../../../libs/recipes/src/testing/lead-qualified.yaml'), 'utf8');
const later = plain.replace('coolDown: 24h', 'coolDown: 48h');
const guarded = `approvals: required\n${plain}`;
const versionOf = (text: string): string => {
  const read = readRecipe(text, 'test.yaml');
  return 'recipe' in read ? read.recipe.version : read.faults.join();
};

const connection = testConnection('recipes');
let db: TestDatabase;
let folder: string;
let environment: jest.ReplaceProperty<NodeJS.ProcessEnv>;
let said: jest.SpyInstance;
const settings = (over: object = {}) => ({
  DATABASE_URL: db.url,
  KAFKA_BROKERS: connection.brokers.join(','),
  TOPIC_PREFIX: connection.topicPrefix,
  ...over,
});
beforeAll(() =>
  createTopics(
    connection,
    topics.filter(({ name }) =>
      [Topic.recipes, Topic.ingressHubspot, Topic.ingressGeneric].some((one) => one === name),
    ),
  ),
);
beforeEach(async () => {
  db = await testDatabase();
  folder = mkdtempSync(join(tmpdir(), 'recipes-'));
  environment = jest.replaceProperty(process, 'env', settings());
  said = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(async () => {
  said.mockRestore();
  environment.restore();
  process.exitCode = undefined;
  rmSync(folder, { recursive: true });
  await db.drop();
});

const write = (text: string, name = 'lead.yaml'): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

async function recipes<T = { publications: Publication[] }>(...args: string[]): Promise<T> {
  const printed: string[] = [];
  const stdout = jest.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  try {
    await createProgram().parseAsync(['node', 'refrain', 'recipes', ...args, '--json']);
  } finally {
    stdout.mockRestore();
  }
  return JSON.parse(printed.join('')) as T;
}
const because = ['--by', 'Ann', '--why', 'because'];
const publish = (path: string, ...more: string[]) => recipes('publish', path, ...because, ...more);
const live = async (where = 'default'): Promise<string[]> =>
  ((await publishedRecipes(db.pool, where))?.recipes ?? []).map(({ recipe, version }) => `${recipe} ${version}`);
const stderr = (): string => said.mock.calls.map(([text]) => String(text)).join('');

it('publishes, rolls back, promotes and withdraws, and the history says who, why and on which ticket', async () => {
  await publish(write(plain), '--environment', 'dev', '--ticket', 'T-1');
  await publish(write(later), '--environment', 'dev');
  expect(await live('dev')).toEqual([`lead-qualified ${versionOf(later)}`]);
  expect((await publish(write(later), '--environment', 'dev')).publications).toMatchObject([{ state: 'live already' }]);

  await recipes('promote', 'lead-qualified', '--from', 'dev', '--to', 'prod', '--by', 'Bob', '--why', 'it is good');
  await recipes('rollback', 'lead-qualified', '--environment', 'dev', '--by', 'Cai', '--why', 'it was not');
  expect(await live('prod')).toEqual([`lead-qualified ${versionOf(later)}`]);
  expect(await live('dev')).toEqual([`lead-qualified ${versionOf(plain)}`]);

  await recipes('withdraw', 'lead-qualified', '--environment', 'dev', ...because);
  expect(await live('dev')).toEqual([]);
  const { publications } = await recipes('history', 'lead-qualified', '--environment', 'dev');
  expect(publications.map(({ action, by, why, ticket }) => [action, by, why, ticket])).toEqual([
    ['withdrawn', 'Ann', 'because', undefined],
    ['rolled-back', 'Cai', 'it was not', undefined],
    ['published', 'Ann', 'because', undefined],
    ['published', 'Ann', 'because', 'T-1'],
  ]);
  const prod = await recipes('ls', '--environment', 'prod');
  expect(prod).toMatchObject({ live: [{ action: 'promoted', source: 'dev', by: 'Bob' }], waiting: [] });
});

it('refuses a folder with a fault as a whole, with file, line and column', async () => {
  write(plain);
  const faulty = write(plain.replace('coolDown: 24h', 'coolDown: soon'), 'other.yaml');
  expect(await recipes('publish', folder, ...because)).toMatchObject({
    faults: [expect.stringContaining('coolDown: must be')],
  });
  expect(stderr()).toMatch(new RegExp(`${faulty}:8:11: coolDown: must be`));
  expect(process.exitCode).toBe(1);
  write(plain, 'other.yaml');
  expect(await recipes('publish', folder, ...because)).toMatchObject({
    faults: [expect.stringContaining('other.yaml:1:1: recipe lead-qualified stands in another file')],
  });
  expect(await live()).toEqual([]);
  await expect(publish(join(folder, 'none.yaml'))).rejects.toThrow('no file or folder');
});

it('publishes a folder without the cases in it', async () => {
  write(plain);
  write('- case: one\n  expect: {}\n', 'lead.cases.yaml');
  await publish(folder);
  expect(await live()).toEqual([`lead-qualified ${versionOf(plain)}`]);
  await expect(publish(join(folder, 'lead.cases.yaml'))).rejects.toThrow('holds cases');
});

describe('a recipe that uses an ask of a file', () => {
  const lines = { info: () => undefined, warn: () => undefined };
  const asks = () => join(folder, 'asks');
  const ask = (instruction: string, version = 1) => {
    mkdirSync(asks(), { recursive: true });
    writeFileSync(
      join(asks(), `grade@${String(version)}.yaml`),
      `ask: grade@${String(version)}
description: Grades.
properties: [company]
instruction: ${instruction}
answer: { type: object, additionalProperties: false, required: [score], properties: { score: { type: integer } } }
`,
    );
  };
  const using = (id: string, version = 1) =>
    write(
      `recipe: ${id}\ntrigger: { object: contact, property: p }\nsteps: [{ ask: { use: grade@${String(version)} } }]\n`,
      `${id}.yaml`,
    );
  const graded = (id: string, environment: string, version = 1) =>
    recipes('publish', using(id, version), '--asks', asks(), '--environment', environment, ...because);

  it('is published with it, and goes by what it was whatever becomes of the file', async () => {
    ask('Grade.');
    await graded('one', 'dev');
    rmSync(asks(), { recursive: true });
    const book = RecipeBook.published({ read: publishedRecipes, environment: 'dev', lines });
    await book.start(db.pool);
    await book.stop();
    expect(book.current()).toMatchObject([{ id: 'one', steps: [{ use: 'grade@1', instruction: 'Grade.' }] }]);
    await recipes('promote', 'one', '--from', 'dev', '--to', 'prod', ...because);
    expect(await live('prod')).toEqual(await live('dev'));
  });

  it('is refused where the ask changed under its version since, in whatever environment that was', async () => {
    ask('Grade.');
    await graded('one', 'dev');
    ask('Judge.');
    await expect(graded('one', 'prod')).rejects.toThrow(
      /one uses grade@1, which was published with one [0-9a-f]{12} and says/,
    );
    await expect(graded('two', 'dev')).rejects.toThrow(/two uses grade@1/);
    ask('Judge.', 2);
    await graded('one', 'dev', 2);
    expect((await recipes('history', 'one', '--environment', 'dev')).publications).toHaveLength(2);
    expect((await recipes<{ live: object[] }>('ls', '--environment', 'prod')).live).toEqual([]);
    const { differences } = await recipes<{ differences: { says: string; widens: boolean }[] }>(
      ...['diff', using('one', 2), '--asks', asks(), '--environment', 'dev'],
    );
    expect(differences).toEqual([]);
  });
});

describe('what could loop onto its own output with what is live', () => {
  const moves = (id: string, from: string, to: string, head = '') =>
    `${head}recipe: ${id}\ntrigger: { object: contact, property: ${from} }\nsteps: [{ write: { properties: { ${to}: x } } }]\n`;
  const [there, back, away] = [moves('there', 'a', 'b'), moves('back', 'b', 'a'), moves('back', 'b', 'c')];
  const way = /back: could loop onto its own output \(back → there → back\) by b: .*withdraw another recipe/;
  beforeEach(() => publish(write(there, 'there.yaml')));

  it('is not published, also in a dry run, and nothing of its folder is', async () => {
    await expect(publish(write(back, 'back.yaml'))).rejects.toThrow(way);
    await expect(publish(join(folder, 'back.yaml'), '--dry-run')).rejects.toThrow(way);
    rmSync(join(folder, 'there.yaml'));
    write(plain);
    await expect(publish(folder)).rejects.toThrow(way);
    expect((await recipes('history')).publications).toHaveLength(1);
    await recipes('withdraw', 'there', ...because);
    await publish(folder);
    expect(await live()).toEqual([`back ${versionOf(back)}`, `lead-qualified ${versionOf(plain)}`]);
  });

  it('is named at once where it stands in one folder', async () => {
    write(back, 'back.yaml');
    expect(await recipes('publish', folder, ...because)).toEqual({
      faults: [expect.stringContaining('(back → there → back)')],
    });
    expect(process.exitCode).toBe(1);
  });

  it('is not promoted', async () => {
    await publish(write(back, 'back.yaml'), '--environment', 'dev');
    const promote = ['promote', 'back', '--from', 'dev', '--to', 'default', ...because];
    await expect(recipes(...promote)).rejects.toThrow(way);
    expect(await live()).toEqual([`there ${versionOf(there)}`]);
  });

  it('is not rolled back to', async () => {
    await recipes('withdraw', 'there', ...because);
    await publish(write(back, 'back.yaml'));
    await publish(write(away, 'back.yaml'));
    await publish(join(folder, 'there.yaml'));
    await expect(recipes('rollback', 'back', ...because)).rejects.toThrow(way);
    expect(await live()).toEqual([`back ${versionOf(away)}`, `there ${versionOf(there)}`]);
  });

  it('is not approved, where the other went live while it waited', async () => {
    const guardedBack = moves('back', 'b', 'a', 'approvals: required\n');
    await recipes('withdraw', 'there', ...because);
    await publish(write(guardedBack, 'back.yaml'));
    await publish(join(folder, 'there.yaml'));
    const approve = ['approve', 'back', '--version', versionOf(guardedBack), '--by', 'Bob'];
    await expect(recipes(...approve)).rejects.toThrow(way);
    expect(await live()).toEqual([`there ${versionOf(there)}`]);
  });

  it('keeps nobody from publishing what has no part in a loop that is live already', async () => {
    const text = back.replace('[{', '[ {');
    await db.pool.query('insert into recipe_text values ($1, $2, $3)', ['back', 'old', text]);
    await db.pool
      .query(`insert into recipe_publication (environment, recipe, number, action, state, version, by_whom, why)
      values ('default', 'back', 1, 'published', 'live', 'old', 'by hand', 'to see')`);
    await publish(write(plain));
    expect(await live()).toContain(`lead-qualified ${versionOf(plain)}`);
  });
});

it('does nothing in a dry run, and shows what it would do', async () => {
  expect(await publish(write(guarded), '--dry-run')).toMatchObject({
    dryRun: true,
    publications: [
      { state: 'awaiting approval', reasons: expect.arrayContaining(['newly writes contact.lead_score']) },
    ],
  });
  expect((await recipes('history')).publications).toEqual([]);
});

it('goes live by the approval of a second person, who is no other name of the first', async () => {
  await publish(write(guarded));
  const named = ['lead-qualified', '--version', versionOf(guarded)];
  await expect(recipes('approve', ...named, '--by', ' ANN')).rejects.toThrow('a second person');
  expect(await live()).toEqual([]);
  await recipes('refuse', ...named, '--by', 'Bob', '--why', 'not yet');
  await expect(recipes('approve', ...named, '--by', 'Bob')).rejects.toThrow('waits for no approval');
  await publish(write(guarded));
  await recipes('approve', ...named, '--by', 'Bob');
  expect(await live()).toEqual([`lead-qualified ${versionOf(guarded)}`]);
  expect((await recipes('history')).publications[0]).toMatchObject({ by: 'Ann', approvedBy: 'Bob', why: 'because' });
});

it('compares a file with what is live, and two versions, and says what matters', async () => {
  await publish(write(plain));
  const wider = write(plain.replace('jobtitle, ', 'phone, '), 'wider.yaml');
  type Diff = { patch: string; differences: unknown };
  const found = await recipes<Diff>('diff', wider);
  expect(found.patch).toContain('+      properties: [firstname, lastname, phone,');
  expect(found.differences).toEqual([
    { says: 'newly sends contact.phone to OpenAI', widens: true },
    { says: 'no longer sends contact.jobtitle to OpenAI', widens: false },
  ]);
  await publish(write(later));
  const two = await recipes<Diff>('diff', 'lead-qualified', '--from', versionOf(plain), '--to', versionOf(later));
  expect(two.patch).toContain('-coolDown: 24h\n+coolDown: 48h');
  expect(two.differences).toEqual([]);
});

it('tells the second of two publishers at once that the first was quicker', async () => {
  await publish(write(plain));
  const [first] = await publicationsIn(db.pool, 'default');
  if (!first) throw new Error('nothing was published');
  const next = (by: string) => {
    const data = { recipe: first.recipe, environment: 'default', version: first.version, by, why: 'because' };
    return { ...first, by, number: 2, event: { type: 'RecipePublished' as const, data } };
  };
  const past = new Map([[first.recipe, [first]]]);
  const ended = await Promise.allSettled(['Ann', 'Bob'].map((by) => append(db.pool, [next(by)], past)));
  const winner = ended.findIndex(({ status }) => status === 'fulfilled');
  expect(ended[1 - winner]).toMatchObject({
    reason: { message: expect.stringMatching(`^${winner === 0 ? 'Ann' : 'Bob'} was quicker`) as string },
  });
  expect(await publicationsIn(db.pool, 'default')).toHaveLength(2);
});

it('tells every publication on its topic once and in order, also what an earlier command left behind', async () => {
  environment.replaceValue(settings({ KAFKA_BROKERS: '127.0.0.1:1' }));
  await publish(write(plain), '--environment', 'told');
  await publish(write(later), '--environment', 'told', '--ticket', 'T-2');
  expect(stderr()).toContain(`not all publications are on ${Topic.recipes} yet`);
  expect(await live('told')).toEqual([`lead-qualified ${versionOf(later)}`]);
  await expect(relayAll(db.pool, RECIPES_SERVICE, () => Promise.reject(new Error('gone')))).rejects.toThrow('gone');

  environment.replaceValue(settings());
  await recipes('ls');
  await recipes('withdraw', 'lead-qualified', '--environment', 'told', ...because);
  const reader = new TopicReader(connection, Topic.recipes);
  const ours = await reader.until(3, ({ value }) => value.toString().includes('"told"'));
  await reader.close();
  expect(ours.map(({ envelope }) => envelope?.id)).toEqual(
    [1, 2, 3].map((n) => `recipe-default:recipe:lead-qualified:told@${String(n)}`),
  );
  const events = ours.map((r) => readEvent(recipeEvents, r.envelope?.type ?? '', JSON.parse(r.value.toString())));
  const about = { recipe: 'lead-qualified', environment: 'told', by: 'Ann', why: 'because' };
  expect(events).toEqual([
    { type: 'RecipePublished', data: { ...about, version: versionOf(plain) } },
    {
      type: 'RecipePublished',
      data: { ...about, version: versionOf(later), previous: versionOf(plain), ticket: 'T-2' },
    },
    { type: 'RecipeWithdrawn', data: { ...about, version: versionOf(later), previous: versionOf(later) } },
  ]);
});

describe('a running book', () => {
  const lines = { info: () => undefined, warn: jest.fn<undefined, [object, string]>() };
  const bookOf = () => RecipeBook.published({ read: publishedRecipes, environment: 'default', everyMs: 20, lines });
  let book: ReturnType<typeof bookOf>;
  beforeEach(() => {
    lines.warn.mockClear();
    book = bookOf();
  });
  afterEach(() => book.stop());
  const versions = () => book.current().map(({ version }) => version);

  it('takes up what is published, rolled back and withdrawn, and stays as it is where that is refused', async () => {
    await publish(write(plain));
    await book.start(db.pool);
    expect(versions()).toEqual([versionOf(plain)]);
    await publish(write(later));
    await until(() => versions()[0] === versionOf(later));
    await publish(write(later.replace('steps:', 'stairs:')));
    expect(stderr()).toContain('nothing is published');
    await recipes('rollback', 'lead-qualified', ...because);
    await until(() => versions()[0] === versionOf(plain));
    await recipes('withdraw', 'lead-qualified', ...because);
    await until(() => versions().length === 0);
    expect(lines.warn).not.toHaveBeenCalled();
  });

  it('says where nothing is live, and takes up what comes', async () => {
    await book.start(db.pool);
    expect(lines.warn).toHaveBeenCalledWith({ environment: 'default' }, expect.stringContaining('nothing is live'));
    await publish(write(plain));
    await until(() => versions()[0] === versionOf(plain));
  });

  it('keeps the last good recipes where one of what is live cannot be read, and says so once', async () => {
    await publish(write(plain));
    await book.start(db.pool);
    const good = book.current();
    await db.pool.query(`insert into recipe_text values ('lead-qualified', 'old', 'recipe: lead-qualified')`);
    await db.pool
      .query(`insert into recipe_publication (environment, recipe, number, action, state, version, by_whom, why)
      values ('default', 'lead-qualified', 2, 'published', 'live', 'old', 'by hand', 'to see')`);
    await until(() => lines.warn.mock.calls.length > 0);
    expect(lines.warn.mock.calls[0]?.[0]).toMatchObject({
      faults: expect.arrayContaining([expect.stringMatching(/^lead-qualified old:1:/)]) as string[],
    });
    expect(book.current()).toBe(good);
    const other = bookOf();
    await expect(other.start(db.pool)).rejects.toThrow(RecipeFault);

    await publish(write(later));
    await until(() => versions()[0] === versionOf(later));
    expect(lines.warn).toHaveBeenCalledTimes(1);
  });

  it('keeps its recipes while the registry does not answer, and takes up what came meanwhile', async () => {
    await publish(write(plain));
    await book.start(db.pool);
    await db.pool.query('alter table recipe_publication rename to away');
    await until(() => lines.warn.mock.calls.length > 0);
    expect(versions()).toEqual([versionOf(plain)]);
    await db.pool.query('alter table away rename to recipe_publication');
    await publish(write(later));
    await until(() => versions()[0] === versionOf(later));
    expect(lines.warn).toHaveBeenCalledTimes(1);
  });
});

describe('a preview of cases', () => {
  interface Previewed {
    compared: {
      recipe: string;
      before?: string;
      after: string;
      same: number;
      newlyRejected: number;
      changed: object[];
    }[];
  }
  const samples = [
    { case: 'Ada', record: { firstname: 'Ada', company: 'Example Ltd' } },
    { case: 'nobody', record: { firstname: 'test' } },
    { case: 'another stage', event: { value: 'customer' }, expect: {} },
  ];
  const sampleFile = () => write(JSON.stringify(samples), 'samples.json');

  it('shows what would be done otherwise than by what is live, case by case, and does nothing', async () => {
    const path = write(plain);
    await publish(path);
    write(plain.replace('firstFilled(record.company, "your company")', 'int(record.company)'));
    const { compared } = await recipes<Previewed>('preview', path, '--sample', sampleFile());
    expect(compared).toMatchObject([
      {
        recipe: 'lead-qualified',
        before: versionOf(plain),
        same: 2,
        newlyRejected: 1,
        changed: [{ after: { case: 'Ada' } }],
      },
    ]);
    expect(compared[0]?.changed).toHaveLength(1);
    expect(await live()).toEqual([`lead-qualified ${versionOf(plain)}`]);
  });

  it('says where nothing is live, and refuses a file that cannot be read with line and column', async () => {
    const path = write(plain);
    const { compared } = await recipes<Previewed>('preview', path, '--sample', sampleFile());
    expect(compared).toMatchObject([{ same: 1, changed: [{ before: null }, { before: null }] }]);
    expect(compared[0]).not.toHaveProperty('before');
    const bad = write('- { cas: x }', 'bad.yaml');
    await expect(recipes('preview', path, '--sample', bad)).rejects.toThrow(`${bad}:1:3: `);
  });
});

describe('the fields of events', () => {
  const producer = new LogProducer(connection);
  afterAll(() => producer.close());
  const post = (id: string, over: { topic: string; type: string; source: string; eventType?: string }, value: string) =>
    producer.publish([
      {
        topic: over.topic,
        key: `default:contact:${id}`,
        value: Buffer.from(value),
        headers: over.eventType === undefined ? {} : { [EVENT_TYPE]: over.eventType },
        envelope: {
          id,
          source: over.source,
          type: over.type,
          subject: `contact:${id}`,
          time: new Date().toISOString(),
          tenant: 'default',
          correlationid: id,
        },
      },
    ]);
  const hubspot = { topic: Topic.ingressHubspot, type: HUBSPOT_RECEIVED, source: '/hubspot/default' };
  const billing = { topic: Topic.ingressGeneric, type: GENERIC_RECEIVED, source: '/billing/main', eventType: 'paid' };
  const change = (propertyName: string, propertyValue: string) =>
    JSON.stringify({
      eventId: 7,
      portalId: 3,
      occurredAt: 1,
      subscriptionType: 'contact.propertyChange',
      objectId: 7,
      propertyName,
      propertyValue,
    });

  it('are listed with their types, conflicts and the live recipes that wait for them, and no value is shown', async () => {
    await publish(write(plain));
    await post('1', hubspot, change('lifecyclestage', 'lead'));
    await post('2', hubspot, change('score', '7'));
    await post('3', hubspot, change('score', 'high'));
    await post('4', billing, '{"amount":12,"to":{"name":"Ada"}}');
    await post('5', billing, 'no JSON');
    const { fields, records } = await recipes<{ fields: Field[]; records: number }>('fields');
    expect(records).toBe(5);
    expect(fields.map(({ of, field, types, recipes: wait }) => [of, field, types, wait])).toEqual([
      ['billing paid', 'amount', { number: 1 }, []],
      ['billing paid', 'to', { object: 1 }, []],
      ['billing paid', 'to.name', { text: 1 }, []],
      ['hubspot contact', 'lifecyclestage', { text: 1 }, ['lead-qualified']],
      ['hubspot contact', 'score', { number: 1, text: 1 }, []],
    ]);
    expect(JSON.stringify(fields)).not.toMatch(/Ada|high/);

    const conflicts = await recipes<{ fields: Field[] }>('fields', '--conflicts');
    expect(conflicts.fields).toMatchObject([
      { field: 'score', conflict: expect.stringMatching(/^ingress\.hubspot\.v1\/\d\/\d+$/) as unknown },
    ]);
    expect((await recipes<{ fields: Field[] }>('fields', '--new', '1m')).fields).toHaveLength(5);
    await expect(recipes('fields', '--last', 'x')).rejects.toThrow('--last x is no duration such as 30m, 24h or 7d');
    await expect(recipes('fields', '--topic', 'crm.events.v1')).rejects.toThrow('is none of ingress.hubspot.v1');
  });
});
