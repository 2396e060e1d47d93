import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Row } from '#libs/expressions';
import { readRecipe } from './read';
import { type ReadRows, TableFolder } from './table-folder';

let folder: string;
let opened: TableFolder[] = [];
const said: { level: string; fields: Record<string, unknown> }[] = [];
const lines = {
  info: (fields: object) => void said.push({ level: 'info', fields: { ...fields } }),
  warn: (fields: object) => void said.push({ level: 'warn', fields: { ...fields } }),
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tables-'));
  said.length = 0;
});
afterEach(async () => {
  await Promise.all(opened.map((tables) => tables.stop()));
  opened = [];
  rmSync(folder, { recursive: true });
});

const put = (file: string, text: string) => writeFileSync(join(folder, file), text);
/** As an editor does it: another file takes the place. */
const replace = (file: string, text: string) => {
  put('.new', text);
  renameSync(join(folder, '.new'), join(folder, file));
};
const open = (options: { rows?: ReadRows; env?: Record<string, string> } = {}) => {
  const tables = TableFolder.open(folder, { lines, everyMs: 5, ...options });
  opened.push(tables);
  return tables;
};
const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};
const warnings = () => said.flatMap(({ level, fields }) => (level === 'warn' ? (fields['faults'] as string[]) : []));

it('reads a folder, takes over what changes, and says which table and how many rows, not what stands there', async () => {
  put('territories.csv', 'country,territory\nAT,dach\nSE,nordics\n');
  put('README.md', 'no table');
  const tables = open();
  await tables.start();
  expect([tables.names(), tables.get('territories', 'at')]).toEqual([
    ['territories'],
    { country: 'AT', territory: 'dach' },
  ]);
  replace('territories.csv', 'country,territory\nAT,alps\n');
  await until(() => tables.get('territories', 'at')?.['territory'] === 'alps');
  expect(tables.get('territories', 'se')).toBeUndefined();
  expect(said.map(({ fields }) => fields['rows'])).toEqual([2, 1]);
  expect(JSON.stringify(said)).not.toMatch(/alps|dach/);
});

it('a faulty new version and a file that is gone are told once, and the last good rows stay', async () => {
  put('t.csv', 'k,v\na,1\n');
  const tables = open();
  await tables.start();
  replace('t.csv', 'k,v\na\n');
  await until(() => warnings().length > 0);
  rmSync(join(folder, 't.csv'));
  await until(() => warnings().length > 1);
  put('marker.csv', 'k\n');
  await until(() => tables.version('marker') !== undefined);
  const file = join(folder, 't.csv');
  expect(warnings()).toEqual([`${file}:2: it has 1 fields, the table has 2 columns`, `${file}: it is gone`]);
  expect(tables.get('t', 'a')).toEqual({ k: 'a', v: '1' });
});

it.each<[string, Record<string, string>, string]>([
  ['a bad row', { 't.csv': 'k,v\n,1\n' }, 't.csv:2: the key is blank'],
  ['a name that no recipe can say', { 'my table.csv': 'k\n' }, 'the name of a table is letters'],
  ['two files of one name', { 't.csv': 'k\n', 't.table.yaml': '' }, 'the table t stands in t.csv too'],
  ['an unknown word', { 't.table.yaml': 'url: { env: A }\nquery: q\nkey: k\nevry: 5m\n' }, 't.table.yaml:1:1: '],
])('%s stops the start', (_, files, fault) => {
  for (const [file, text] of Object.entries(files)) put(file, text);
  expect(() => open()).toThrow(fault);
});

describe('a table of a database', () => {
  const yaml = 'url: { env: WAREHOUSE }\nquery: select id, tier from accounts\nkey: id\nevery: 1s\n';
  const env = { WAREHOUSE: 'postgres://secret' };

  it('is read by its query and again every so often; when that fails, its rows stay', async () => {
    put('accounts.table.yaml', yaml);
    const asked: unknown[] = [];
    let answer: () => Row[] = () => [{ id: 7, tier: 'gold' }];
    const rows: ReadRows = async (ask) => {
      asked.push(ask);
      return answer();
    };
    const tables = open({ rows, env });
    await tables.start();
    expect(asked).toEqual([{ url: 'postgres://secret', query: 'select id, tier from accounts', most: 100_000 }]);
    expect(tables.get('accounts', '7')).toEqual({ id: 7, tier: 'gold' });
    answer = () => {
      throw new Error('the database gives no rows');
    };
    await until(() => warnings().length > 0);
    expect(tables.get('accounts', '7')).toEqual({ id: 7, tier: 'gold' });
    answer = () => [{ id: 7, tier: 'silver' }];
    await until(() => tables.get('accounts', '7')?.['tier'] === 'silver');
    expect(warnings()).toEqual([`${join(folder, 'accounts.table.yaml')}: the database gives no rows`]);
    expect(JSON.stringify(said)).not.toContain('postgres');
  });

  it('stops the start where its address is not there', async () => {
    put('accounts.table.yaml', yaml);
    await expect(open({ rows: async () => [], env: {} }).start()).rejects.toThrow('the environment has no WAREHOUSE');
  });
});

describe('a recipe', () => {
  const textOf = (value: string, trigger = '') =>
    `recipe: r\ntrigger: { object: contact, property: p${trigger} }\nsteps:\n  - write: { properties: { a: '${value}' } }\n`;
  const faultsOf = (text: string, tables?: TableFolder) => {
    const read = readRecipe(text, 'r.yaml', undefined, tables ? { tables } : {});
    return 'faults' in read ? read.faults : [];
  };
  const lookup = '${lookup("territories", record.country, "territory")}';

  it('that looks into a table is refused where there are none, and where there is none of that name', () => {
    put('segments.csv', 'k\n');
    const tables = open();
    expect(faultsOf(textOf(lookup))).toEqual([expect.stringMatching(/^r\.yaml:4:\d+: .*TABLES_DIR/)]);
    expect(faultsOf(textOf(lookup), tables)).toEqual([
      expect.stringMatching(/^r\.yaml:4:\d+: .*there is no reference table territories; there are: segments$/),
    ]);
    put('territories.csv', 'country,territory\n');
    expect(faultsOf(textOf(lookup), open())).toEqual([]);
  });

  it('looks into no table where it could not be recorded: in its trigger, and in what is known when it is read', () => {
    put('t.csv', 'k\n');
    const trigger = `, when: 'lookup("t", event.value) != null'`;
    expect(faultsOf(textOf('x', trigger), open())).toEqual([
      expect.stringMatching(/^r\.yaml:2:\d+: trigger\.when: a trigger looks into no table/),
    ]);
    const video = `recipe: r\ntrigger: { object: contact, property: p }\nsteps:\n  - video: { template: '\${lookup("t", "a").id}', title: t, variables: {} }\n`;
    expect(faultsOf(video, open())).toEqual([expect.stringMatching(/^r\.yaml:4:\d+: .*looks into no table/)]);
  });

  it('with token() is refused where there is no secret, and told the remedy', () => {
    expect(faultsOf(textOf('${token(record.email)}'))).toEqual([
      expect.stringMatching(/^r\.yaml:4:\d+: .*set RECIPES_TOKEN_KEY or RECIPES_TOKEN_KEY_FILE/),
    ]);
  });
});
