import { compile, HeldTables, TableFaults } from './index';

const faultsOf = (csv: string) => {
  try {
    new HeldTables().load('t', 't.csv', csv);
  } catch (error) {
    expect(error).toBeInstanceOf(TableFaults);
    return (error as TableFaults).faults.map(({ file, line, reason }) => `${file}:${String(line)} ${reason}`);
  }
  return [];
};

it.each<[string, string, string[]]>([
  ['an empty file', '', ['t.csv:1 there is no line with the names of the columns']],
  ['a column without a name', 'a,,c\n1,2,3\n', ['t.csv:1 column 2 has no name']],
  ['a column twice', 'a,b,b\n1,2,3\n', ['t.csv:1 the column b is there twice']],
  [
    'all bad rows at once',
    'a,b\n1,x\n2\n ,y\n 1 ,z\n3,x,y\n',
    [
      't.csv:3 it has 1 fields, the table has 2 columns',
      't.csv:4 the key is blank',
      't.csv:5 the key is that of line 2',
      't.csv:6 it has 3 fields, the table has 2 columns',
    ],
  ],
  ['keys that differ in case', 'a,b\nÄ,x\nä,y\n', ['t.csv:3 the key is that of line 2']],
  ['an open quote', 'a,b\n1,"x\n', ['t.csv:2 quote not closed']],
  ['a good file', '\ufeffa,b\r\n1,"x, ""y"""\r\n\r\n2,\r\n', []],
])('%s', (_, csv, faults) => {
  expect(faultsOf(csv)).toEqual(faults);
});

it('names of prototypes are keys and columns like others', () => {
  const tables = new HeldTables();
  tables.load('t', 't.csv', 'key,__proto__,constructor\n__proto__,1,2\n');
  const source = 'lookup("t", "__proto__", "constructor") + lookup("t", "__proto__", "__proto__")';
  expect(compile(source, { variables: {} }).evaluate({}, { tables })).toBe('21');
  expect(compile('lookup("t", "constructor")', { variables: {} }).evaluate({}, { tables })).toBeNull();
});

it('loading again replaces a table whole and changes its version; a bad file leaves it as it was', () => {
  const tables = new HeldTables();
  const find = () => compile('lookup("t", "a", "b")', { variables: {} }).evaluate({}, { tables });
  tables.load('t', 't.csv', 'k,b\na,1\n');
  const first = tables.version('t');
  expect(() => tables.load('t', 't.csv', 'k,b\na\n')).toThrow('t.csv:2: it has 1 fields, the table has 2 columns');
  expect([find(), tables.version('t')]).toEqual(['1', first]);
  tables.load('t', 't.csv', 'k,b\na,2\n');
  expect([find(), tables.version('t') === first]).toEqual(['2', false]);
});

it.each([
  ['lookup("other", "a")', 'There is no reference table other'],
  ['lookup("t", "a", "c")', 'The table has no such column'],
])('%s fails', (source, message) => {
  const tables = new HeldTables();
  tables.load('t', 't.csv', 'k,b\na,1\n');
  expect(() => compile(source, { variables: {} }).evaluate({}, { tables })).toThrow(message);
});

it('holds rows that were read elsewhere as JSON, by their key, and refuses them all where one has none', () => {
  const tables = new HeldTables();
  const at = new Date(0);
  tables.loadRows('t', 't.table.yaml', 'id', [
    { id: 7, since: at, tier: null },
    { id: ' B ', since: at, tier: 'x' },
  ]);
  expect(compile('lookup("t", "b").tier + lookup("t", 7, "since")', { variables: {} }).evaluate({}, { tables })).toBe(
    'x1970-01-01T00:00:00.000Z',
  );
  expect(tables.size('t')).toBe(2);
  const version = tables.version('t');
  const load = (...rows: Record<string, unknown>[]) => tables.loadRows('t', 't.table.yaml', 'id', rows);
  expect(() => load({ id: 1 }, { id: '1' }, { id: null }, { no: 1 })).toThrow(
    't.table.yaml:2: the key is that of a row before\nt.table.yaml:3: the key is blank, or neither text nor a number\n' +
      't.table.yaml:4: there is no column id',
  );
  expect(tables.version('t')).toBe(version);
});
