import { effect, owe } from '../../../libs/event-store/src/testing/owing';
import { testDatabase, type TestDatabase } from '../../../libs/event-store/src/testing/test-database';
import { createProgram } from './program';

let db: TestDatabase;
let environment: jest.ReplaceProperty<NodeJS.ProcessEnv>;
beforeEach(async () => {
  db = await testDatabase();
  environment = jest.replaceProperty(process, 'env', { DATABASE_URL: db.url });
});
afterEach(async () => {
  environment.restore();
  await db.drop();
});

async function refrain(...args: string[]): Promise<string> {
  const printed: string[] = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  try {
    await createProgram().parseAsync(['node', 'refrain', 'erase', ...args]);
  } finally {
    write.mockRestore();
  }
  return printed.join('');
}

const states = async (): Promise<string[]> => {
  const { rows } = await db.pool.query<{ it: string }>(`select slot || ' ' || state as it from effect order by 1`);
  return rows.map(({ it }) => it);
};

it('counts first, then erases, and says what it found', async () => {
  await owe(db.pool, [effect({ slot: 'a' }), effect({ slot: 'b', subject: 'contact:2' })], { service: 'crm-writer' });
  const found = { effects: 1, cancelled: 1, outcomes: 0, inputs: 0, freed: 0, shared: 0, planned: 0 };
  const counted = await refrain('default', 'contact:1', '--dry-run', '--json');
  expect(JSON.parse(counted)).toEqual({ dryRun: true, services: { 'crm-writer': found } });
  expect(await states()).toEqual(['a owed', 'b owed']);
  expect(await refrain('default', 'contact:1')).toContain('crm-writer           erased 1 effects (1 of them open)');
  expect(await states()).toEqual(['a erased', 'b owed']);
  expect(await refrain('default', 'contact:3')).toBe('Nothing is held of default:contact:3.\n');
});

it('tells of the erasure as an event, for whoever holds a copy; not where it only counts', async () => {
  const told = async () => {
    const { rows } = await db.pool.query<{ it: string }>(
      `select e.stream_id || '@' || e.version || ' ' || e.type || ' ' || e.subject || ' ' || u.service as it
       from event e join unpublished u on u.position = e.position order by e.position`,
    );
    return rows.map(({ it }) => it);
  };
  await refrain('default', 'contact:1', '--dry-run');
  expect(await told()).toEqual([]);
  await refrain('default', 'contact:1');
  await refrain('default', 'contact:1');
  const about = 'refrain.subject.erased.v1 contact:1 crm-writer';
  expect(await told()).toEqual([`erasure-default:contact:1@1 ${about}`, `erasure-default:contact:1@2 ${about}`]);
});

it('refuses a subject that is no record', async () => {
  await expect(refrain('default', '541935488729')).rejects.toThrow('is no record');
});
