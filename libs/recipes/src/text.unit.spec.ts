import { ExpressionFault } from '#libs/expressions';
import { compileText } from './text';

const given = { record: { name: 'Ada', size: '3', none: null } };
const said = (text: string | number | boolean) => compileText(text, { record: 'named' }).evaluate(given);

it.each([
  ['plain', 'plain'],
  ['', ''],
  [7, 7],
  [true, true],
  ['${record.name}', 'Ada'],
  ['Dear ${record.name}, ${record.none}!', 'Dear Ada, !'],
  ['${1 + 2}', 3],
  ['${record.none}', null],
  ['${{"a": "}"}}', { a: '}' }],
  ["${'}' + record.name}", '}Ada'],
  ['$${record.name} costs 5$', '${record.name} costs 5$'],
  ['${record.name}${record.size}', 'Ada3'],
])('%j says %j', (text, result) => {
  expect(said(text)).toEqual(result);
});

it('knows beforehand what holds no expression', () => {
  expect(compileText('x', {}).literal).toBe('x');
  expect(compileText('${"x"}', {}).literal).toBeUndefined();
});

it.each([
  ['abc ${nope}', 6, 'unknown-variable'],
  ['abc ${record.name', 4, 'syntax'],
  ['${record.name} ${1 +}', 17, 'syntax'],
])('%j is at fault from character %i', (text, from, code) => {
  const fault = (() => {
    try {
      return compileText(text, { record: 'named' });
    } catch (error) {
      return error;
    }
  })();
  expect(fault).toBeInstanceOf(ExpressionFault);
  expect((fault as ExpressionFault).code).toBe(code);
  expect((fault as ExpressionFault).offset).toBeGreaterThanOrEqual(from);
});
