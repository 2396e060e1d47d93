import { compile, ExpressionError, HeldTables, Looked, type Lookup } from './index';

const tablesOf = (...lines: string[]) => {
  const tables = new HeldTables();
  tables.load('t', 't.csv', ['k,a,b', ...lines].join('\n'));
  return tables;
};
const evaluate = (source: string, tables: HeldTables, looked: Looked) =>
  compile(source, { variables: {} }).evaluate({}, { tables, looked });

it('keeps what was looked up, each once and no more of it than was used', () => {
  const looked = new Looked();
  const source = '[lookup("t", " X ", "a"), lookup("t", "x", "a"), lookup("t", "none", "a"), lookup("t", "y").b]';
  expect(evaluate(source, tablesOf('x,1,2', 'y,3,4', 'z,5,6'), looked)).toEqual(['1', '1', null, '4']);
  expect(looked.all).toEqual([
    { table: 't', key: 'none', column: 'a', found: null },
    { table: 't', key: 'x', column: 'a', found: '1' },
    { table: 't', key: 'y', found: { k: 'y', a: '3', b: '4' } },
  ]);
});

it('finds again what was found before, also that there was nothing, and looks up only the rest', () => {
  const before: Lookup[] = JSON.parse(
    JSON.stringify([
      { table: 't', key: 'x', column: 'a', found: '1' },
      { table: 't', key: 'new', column: 'a', found: null },
    ]),
  ) as Lookup[];
  const looked = new Looked(before);
  const source = '[lookup("t", "x", "a"), lookup("t", "new", "a"), lookup("t", "x", "b"), lookup("t", "x").a]';
  expect(evaluate(source, tablesOf('x,8,9', 'new,7,7'), looked)).toEqual(['1', null, '9', '8']);
  expect(looked.all).toHaveLength(4);
});

it('finds what was found before where the table is gone', () => {
  const looked = new Looked([{ table: 't', key: 'x', column: 'a', found: '1' }]);
  expect(compile('lookup("t", "x", "a")', { variables: {} }).evaluate({}, { looked })).toBe('1');
});

it('more than an event can hold is not looked up', () => {
  const tables = tablesOf(...Array.from({ length: 20 }, (_, n) => `${String(n)},${'x'.repeat(5_000)},`));
  const source = '["0","1","2","3","4","5","6","7","8","9","10","11","12","13","14"].map(k, lookup("t", k, "a"))';
  expect(() => evaluate(source, tables, new Looked())).toThrow(ExpressionError);
});
