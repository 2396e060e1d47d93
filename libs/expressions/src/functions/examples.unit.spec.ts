import { createSecretKey } from 'node:crypto';
import { Settings } from 'luxon';
import { builtins, compile, ExpressionError, functionGroups } from '../index';
import { given } from '../testing/given';
import { readSignature } from './definition';

const functions = functionGroups.flatMap((group) => group.functions);

describe.each(functions)('$signature', ({ signature, says, examples }) => {
  it.each(examples.map(([expression, result]) => ({ expression, result })))('$expression', ({ expression, result }) => {
    expect(compile(expression, { variables: {} }).evaluate({}, given)).toEqual(result);
  });

  it('is documented by a sentence and an example of itself', () => {
    expect(says).toMatch(/^[A-Z-].*[.:)…]/su);
    expect(examples.filter(([expression]) => expression.includes(`${readSignature(signature).name}(`))).not.toEqual([]);
  });
});

const withoutZone = [
  ['parseTime("2026-03-01", "yyyy-MM-dd")', '2026-03-01T00:00:00.000Z'],
  ['startOfTime("2026-03-01T01:00:00Z", "day")', '2026-03-01T00:00:00.000Z'],
  ['formatTime("2026-03-01T00:00:00Z", "HH")', '00'],
  ['timestamp("2026-03-01T00:00:00Z")', '2026-03-01T00:00:00.000Z'],
] as const;

it('no example depends on the clock, on the zone of the machine or on chance', () => {
  const random = jest.spyOn(Math, 'random');
  try {
    for (const [zone, now] of [
      ['Pacific/Kiritimati', '1999-12-31T23:59:59Z'],
      ['America/Anchorage', '2050-07-01T00:00:00Z'],
    ] as const) {
      jest.useFakeTimers({ now: new Date(now) });
      Settings.defaultZone = zone;
      jest.spyOn(Date.prototype, 'getTimezoneOffset').mockReturnValue(-600);
      for (const [expression, result] of [...withoutZone, ...functions.flatMap(({ examples }) => examples)]) {
        expect([expression, compile(expression, { variables: {} }).evaluate({}, given)]).toEqual([expression, result]);
      }
    }
    expect(random).not.toHaveBeenCalled();
  } finally {
    jest.useRealTimers();
    jest.restoreAllMocks();
    Settings.defaultZone = 'system';
  }
});

it.each([
  [
    'parseTime("10:00", "HH:mm")',
    'parseTime: A format to read by needs the year (yyyy) or the Unix time (X, x), and no short forms (D, t, f)',
  ],
  [
    'parseTime("10:00 y", "HH:mm \'y")',
    'parseTime: A format to read by needs the year (yyyy) or the Unix time (X, x), and no short forms (D, t, f)',
  ],
  [
    'parseTime("1/2/2026", "yD")',
    'parseTime: A format to read by needs the year (yyyy) or the Unix time (X, x), and no short forms (D, t, f)',
  ],
  ['inZone("2026-01-01", "local")', 'inZone: No such time zone; name one as "Europe/Berlin", "UTC" or "+02:00"'],
  ['inZone("2026-01-01", "system")', 'inZone: No such time zone; name one as "Europe/Berlin", "UTC" or "+02:00"'],
  ['addTime("2026-01-01", 1.5, "days")', 'addTime: An argument is no whole number from -1000000 to 1000000'],
  ['addTime("9999-01-01", 1, "years")', 'addTime: The time lies outside of the years 1 to 9999'],
  [
    'startOfTime("2026-01-01", "fortnight")',
    'startOfTime: No such unit; there are year, quarter, month, week, day, hour, minute, second',
  ],
  ['formatTime("2026-01-01", "MMMM", "UTC", "xx")', 'formatTime: An argument is no language such as "de"'],
  ['formatAmount("1", "EUR", "")', 'formatAmount: An argument is no text'],
  ['round(1, 10)', 'round: An argument is no whole number from 0 to 9'],
  ['band(1, {"many": 1})', 'band: A threshold is no number'],
  ['phone(["1"])', 'phone: An argument is no text'],
  ['joinOptions(["a;b"])', 'joinOptions: An option has a ; in it'],
  ['countryName("DE", "xx")', 'countryName: No such language; there are de, en, es, fr, it, nl, pt'],
])('%s fails with its reason', (source, message) => {
  expect(() => compile(source, { variables: {} }).evaluate({}, given)).toThrow(
    new ExpressionError('argument', message),
  );
});

it.each([
  ['amount("1.234.567,89")', '1234567.89'],
  ['amount("1,234,567")', '1234567'],
  ['amount("1 234,5")', '1234.5'],
  ['amount("CHF 1’234.50")', '1234.5'],
  ['amount("-5 €")', '-5'],
  ['amount("5,00-")', '-5'],
  ['amount("0.001")', '0.001'],
  ['amount("1,234")', null],
  ['amount("1.2.3")', null],
  ['amount("1.23,456.78")', null],
  ['amount("1,23", "en")', null],
  ['amount("12 or 13")', null],
  ['amount(12.5)', '12.5'],
  ['amount("999999999999999.99")', '999999999999999.99'],
  ['amount("9999999999999999")', null],
  ['minorUnits("1.5", "KWD")', 1500],
  ['minorUnits("1", "XXY")', null],
  ['time("2026-01-01T00:00:00")', null],
  ['time("2026-13-01")', null],
  ['parseTime("01.03.2026 02:30", "dd.MM.yyyy HH:mm", "+02:00")', '2026-03-01T00:30:00.000Z'],
  ['timeBetween("2026-03-28T12:00:00Z", "2026-03-29T11:00:00Z", "days", "Europe/Berlin")', 1],
  ['personName("MCDONALD")', 'McDonald'],
  ['personName("o\'neill")', "O'Neill"],
  ['personName("DeShawn")', 'DeShawn'],
  ['personName("ÉMILIE DU CHÂTELET")', 'Émilie du Châtelet'],
  ['firstName("Ada")', 'Ada'],
  ['lastName("van der Berg, Jan")', 'van der Berg'],
  ['email("ada@example..com")', null],
  ['email("a b@example.com")', null],
  ['email(".ada@example.com")', null],
  ['isFreeMail("ada@gmx.de")', true],
  ['subdivisionCode("US-TX", "us")', 'US-TX'],
  ['subdivisionCode("Texas", null)', null],
  ['phone("+49 30 23125000", null)', '+493023125000'],
  ['phone("030 23125000", "Germany")', null],
])('%s is %j', (source, result) => {
  expect(compile(source, { variables: {} }).evaluate({}, given)).toEqual(result);
});

it('no name is that of two functions', () => {
  const names = [...functions, ...builtins.filter(({ signature }) => !/^\w+\./.test(signature))].map(
    ({ signature }) => readSignature(signature.replace('variable.field', 'field')).name,
  );
  expect(names).toEqual([...new Set(names)]);
});

const deep = (depth: number): unknown => (depth === 0 ? 'x' : [deep(depth - 1)]);
const hostile: Record<string, unknown> = {
  null: null,
  blank: '   ',
  boolean: true,
  'a number': -12.5,
  'not a number': Number.NaN,
  infinite: Number.POSITIVE_INFINITY,
  'a list': [1, null, 'x', {}],
  'a map': { a: { b: [] } },
  'keys of prototypes': JSON.parse('{"__proto__": {"x": 1}, "constructor": 1, "toString": null}') as unknown,
  'the name of a prototype': '__proto__',
  'the name of a member': 'constructor',
  'a long text': 'a'.repeat(500_000),
  'a long number': '1'.repeat(100_000),
  'many separators': ' ,.;<@-+('.repeat(20_000),
  'open tags': '<a <p>'.repeat(20_000),
  unicode: 'ﬀ\u0000\ud800\u202e👩‍👩‍👧İ',
  'a long list': Array.from({ length: 50_000 }, (_, i) => i),
  'a deep list': deep(60),
  'too deep a list': deep(5_000),
};

/** The first example with a variable for its first argument, so that the others are ones that the function accepts. */
const withAnyFirst = (examples: readonly (readonly [string, unknown])[]): string[] => {
  const match = /^(\w+)\((?:"[^"]*"|null|\{.*?\}|\d+(?:\.\d+)?), (.*)\)$/.exec(examples[0]?.[0] ?? '');
  return match ? [`${match[1] ?? ''}(a, ${match[2] ?? ''})`] : [];
};

describe.each(functions)('$signature with hostile arguments', ({ signature, examples }) => {
  const { name, arities } = readSignature(signature);
  const sources = arities.slice(0, 4).map((arity) => {
    const [first, ...more] = ['a', 'b', 'c', 'd'].slice(0, arity);
    return `${name}(${[name === 'lookup' ? '"segments"' : first, ...more].join(', ')})`;
  });
  const calls = [...sources, ...(name === 'lookup' ? [] : withAnyFirst(examples))].map((source) =>
    compile(source, { variables: { a: 'any', b: 'any', c: 'any', d: 'any' } }),
  );
  it.each(Object.keys(hostile))('%s: gives data or an ExpressionError, twice the same', (kind) => {
    for (const call of calls) {
      for (const other of [hostile[kind], 'DE', 2]) {
        const bindings = { a: hostile[kind], b: other, c: other, d: hostile[kind] };
        const outcome = (): unknown => {
          try {
            return { value: JSON.stringify(call.evaluate(bindings, given)) };
          } catch (error) {
            expect(error).toBeInstanceOf(ExpressionError);
            return { error: (error as Error).message };
          }
        };
        expect(outcome()).toEqual(outcome());
      }
    }
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});

it.each([
  ['token("x")', 'no-key'],
  ['lookup("segments", "ent")', 'no-table'],
])('%s fails where nothing is given', (source, code) => {
  expect(() => compile(source, { variables: {} }).evaluate({})).toThrow(expect.objectContaining({ code }));
});

it('an empty key is none', () => {
  const tokenKey = createSecretKey('', 'utf8');
  const expression = compile('token("x")', { variables: {} });
  expect(() => expression.evaluate({}, { tokenKey })).toThrow(expect.objectContaining({ code: 'no-key' }));
});

it('an error of a function names the function, never the value', () => {
  const expression = compile('formatTime("2026-01-01", "yyyy", a)', { variables: { a: 'any' } });
  expect(() => expression.evaluate({ a: 'secret' })).toThrow(
    new ExpressionError('argument', 'formatTime: No such time zone; name one as "Europe/Berlin", "UTC" or "+02:00"'),
  );
});
