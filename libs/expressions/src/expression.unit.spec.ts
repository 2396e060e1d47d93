import { bounds, compile, ExpressionError, type Reading } from './index';
import { given } from './testing/given';

const variables: Record<string, Reading> = { record: 'named', event: 'any', env: 'any' };
const make = (source: string) => compile(source, { variables });
const evaluate = (source: string, event: unknown = {}, record: unknown = {}) =>
  make(source).evaluate({ event, record, env: {} }, given);
const faultOf = (source: string) => {
  try {
    make(source);
  } catch (error) {
    return error as { name: string; code: string; offset: number; end: number; remedy: string };
  }
  throw new Error(`${source} was accepted`);
};
const errorOf = (source: string, event: unknown = {}) => {
  try {
    evaluate(source, event);
  } catch (error) {
    expect(error).toBeInstanceOf(ExpressionError);
    return error as ExpressionError;
  }
  throw new Error(`${source} gave a value`);
};

describe('what is refused before it runs', () => {
  it.each([
    ['record.a ==', 'syntax', '', 'Check what stands there.'],
    ["'abc", 'syntax', "'abc", 'Check what stands there.'],
    ['recrod.a', 'unknown-variable', 'recrod', 'Did you mean record?'],
    ['xyz', 'unknown-variable', 'xyz', 'The variables are record, event, env.'],
    ['constructor', 'unknown-variable', 'constructor', 'The variables are record, event, env.'],
    ['google.protobuf', 'unknown-variable', 'google', 'The variables are record, event, env.'],
    ['1 + fone(event.a)', 'unknown-function', 'fone(event.a)', 'Did you mean phone?'],
    ['event.a.phone()', 'unknown-function', 'event.a.phone()', 'It is written phone(value, country?).'],
    [
      'startsWith(event.a, "b")',
      'unknown-function',
      'startsWith(event.a, "b")',
      'It is written text.startsWith(text).',
    ],
    ['bytes("a").json()', 'unknown-function', 'bytes("a").json()', 'Did you mean join?'],
    ['timestmp("x")', 'unknown-function', 'timestmp("x")', 'Did you mean timestamp?'],
    ['exactTimestamp("x")', 'unknown-function', 'exactTimestamp("x")', 'See docs/reference/expressions.md.'],
    [
      'timestamp(event.a).getFullYear()',
      'unknown-function',
      'timestamp(event.a).getFullYear()',
      'See docs/reference/expressions.md.',
    ],
    ['phone()', 'wrong-arguments', 'phone()', 'It is phone(value, country?).'],
    ['"a".matches(1)', 'not-a-literal', '1', 'Write it in quotes.'],
    ['"a".matches(event.p)', 'not-a-literal', 'event.p', 'Write it in quotes.'],
    ['"a".matches("(")', 'bad-pattern', '"("', 'Patterns are RE2: no look-around, no back-references.'],
    ['"a".matches("(?=a)")', 'bad-pattern', '"(?=a)"', 'Patterns are RE2: no look-around, no back-references.'],
    [
      '"a".matches("((a{100}){100})")',
      'bad-pattern',
      '"((a{100}){100})"',
      'Patterns are RE2: no look-around, no back-references.',
    ],
    [
      '"a".matches("a{600}b{600}")',
      'bad-pattern',
      '"a{600}b{600}"',
      'Patterns are RE2: no look-around, no back-references.',
    ],
    ['lookup(event.t, "k")', 'not-a-literal', 'event.t', 'Write it in quotes.'],
    ['record[event.a]', 'dynamic-read', 'record[event.a]', 'Name the members: record.x'],
    ['record', 'dynamic-read', 'record', 'Name the members: record.x'],
    ['flatten(record)', 'dynamic-read', 'record', 'Name the members: record.x'],
    ['cel.bind(r, record, r.a)', 'dynamic-read', 'record', 'Name the members: record.x'],
    ['"a" + 1', 'type', '"a" + 1', 'Convert one side, as with double(…), number(…) or string(…).'],
    ['true ? "a" : 1', 'type', 'true ? "a" : 1', 'Wrap one of the two in dyn(…).'],
    [
      '"a".startsWith(1)',
      'wrong-arguments',
      '"a".startsWith(1)',
      'See docs/reference/expressions.md for what it takes.',
    ],
    ["b'a'", 'unsupported', "b'a'", 'Write text, or the number without u.'],
    ['event.?a', 'syntax', '?', 'An absent member is null: write a.b, without ?.'],
  ])('%s', (source, code, part, remedy) => {
    const { name, offset, end, ...fault } = faultOf(source);
    expect({ name, part: source.slice(offset, end), code: fault.code, remedy: fault.remedy }).toEqual({
      name: 'ExpressionFault',
      part,
      code,
      remedy,
    });
  });

  it.each([
    ['a long source', `"${'a'.repeat(bounds.source)}"`, 'too-long'],
    ['many nodes', Array(bounds.nodes).fill('1').join(','), 'too-large'],
    [
      'a deep chain',
      Array(bounds.depth + 1)
        .fill('1')
        .join('+'),
      'too-deep',
    ],
    ['deep members', `event${'.a'.repeat(bounds.depth + 1)}`, 'too-large'],
    ['deep parentheses', `${'('.repeat(1_900)}1${')'.repeat(1_900)}`, 'too-large'],
    ['many signs', `${'-'.repeat(3_000)}1`, 'too-large'],
    ['deep lists', `${'['.repeat(1_900)}${']'.repeat(1_900)}`, 'too-large'],
  ])('%s', (_, source, code) => {
    expect(faultOf(source.includes(',') ? `[${source}]` : source).code).toBe(code);
  });
});

describe('what an expression reads', () => {
  it.each<[string, Record<string, string[][]>]>([
    ['record.firstname', { record: [['firstname']] }],
    ['record["first name"] == record.b.c', { record: [['first name'], ['b', 'c']] }],
    ['has(record.a) ? record.a : record.b', { record: [['a'], ['b']] }],
    ['event[env.key].x + event.list[0].y', { event: [[], ['list', '0', 'y']], env: [['key']] }],
    ['event.list.map(record, record.x)', { event: [['list']] }],
    ['event.list.filter(x, x.a == record.b).size()', { event: [['list']], record: [['b']] }],
    ['cel.bind(x, record.a, x + x)', { record: [['a']] }],
    ['flatten(event)', { event: [[]] }],
    ['1', {}],
  ])('%s', (source, reads) => {
    expect(make(source).reads).toEqual(reads);
  });

  it('and the tables that it looks into', () => {
    expect(make('lookup("b", "x") == lookup("a", "x", "c") || lookup("b", "y") == null').tables).toEqual(['b', 'a']);
  });
});

describe('what a value is', () => {
  it.each<[string, unknown, unknown]>([
    ['event.a', {}, null],
    ['event.a.b.c', {}, null],
    ['event.a[3].b', { a: [] }, null],
    ['event.a["x"]', { a: null }, null],
    ['has(event.a.b)', {}, false],
    ['has(event.a.b)', { a: { b: null } }, false],
    ['has(event.a.b)', { a: { b: '' } }, true],
    ['event.a == "x"', {}, false],
    ['event.a == null', {}, true],
    ['event.constructor', {}, null],
    ['event["__proto__"].constructor', {}, null],
    ['event.toString', {}, null],
    ['event.a.length', { a: {} }, null],
    ['event.n + 1', { n: 2 }, 3],
    ['event.n * 2 > 5', { n: 2.5 }, false],
    ['1 + 2', {}, 3],
    ['7 / 2', {}, 3],
    ['event.n / 2', { n: 7 }, 3.5],
    ['-0.0', {}, 0],
    ['timestamp("2026-03-01T10:00:00+02:00")', {}, '2026-03-01T08:00:00.000Z'],
    ['timestamp(0) + duration("1h30m")', {}, '1970-01-01T01:30:00.000Z'],
    ['timestamp(event.a) < timestamp("2026-01-02T00:00:00Z")', { a: '2026-01-01T00:00:00Z' }, true],
    ['timestamp(event.a) - timestamp("2026-01-02T00:00:00Z") < duration("-23h")', { a: '2026-01-01T00:00:00Z' }, true],
    ['type(event.a) == string', { a: 'x' }, true],
    ['event.l.map(x, x.a).filter(a, a != null).join("-")', { l: [{ a: 'x' }, {}, { a: 'y' }] }, 'x-y'],
    ['event.m.exists(k, k == "a")', { m: { a: 1 } }, true],
    ['event.a.matches("^a+$")', { a: 'aaa' }, true],
    ['cel.bind(x, event.a, x + x)', { a: 'ab' }, 'abab'],
    ['event', JSON.parse('{"__proto__": {"x": 1}}'), JSON.parse('{"__proto__": {"x": 1}}')],
    ['event.a == "x" ? dyn("y") : dyn(null)', { a: 'x' }, 'y'],
    ['{"a": event.a, "b": [1, "x", null]}', { a: true }, { a: true, b: [1, 'x', null] }],
  ])('%s of %j is %j', (source, event, value) => {
    expect(evaluate(source, event)).toEqual(value);
  });

  it.each([
    ['event.a > 1', 'type', 'no such overload: dyn<null> > int, in event.a > 1'],
    ['event.b.c', 'type', 'Only maps have members, and lists elements by number'],
    ['event.b.startsWith("s") && event.c', 'type', "Logical operator requires bool operands, got 'string'"],
    [
      'event.a.startsWith("x")',
      'type',
      'found no matching overload for \'null.startsWith(string)\', in event.a.startsWith("x")',
    ],
    ['int(event.b)', 'type', 'A value cannot be converted or does not fit, in int(event.b)'],
    ['bool(event.b)', 'type', 'A value cannot be converted or does not fit, in bool(event.b)'],
    ['{"x": 1}[event.b]', 'absent', 'A map has no such key, in {"x": 1}[event.b]'],
    ['1 / 0', 'type', 'division by zero, in 1 / 0'],
    ['9223372036854775807 + 1', 'out-of-range', 'A number is too large, in 9223372036854775807 + 1'],
    ['9223372036854775807', 'out-of-range', 'The result is too large a number'],
    ['1.0 / 0.0', 'out-of-range', 'The result is no finite number'],
    ['type(1)', 'not-json', 'The result is no data: a type or a duration, perhaps'],
    ['duration("1h")', 'not-json', 'The result is no data: a type or a duration, perhaps'],
    ['timestamp("2026-01-01T00:00:00")', 'argument', 'timestamp() is of RFC 3339 text with a zone, or of Unix seconds'],
    ['timestamp(event.b)', 'argument', 'timestamp() is of RFC 3339 text with a zone, or of Unix seconds'],
    ['duration("1w")', 'argument', 'duration() is of whole hours, minutes, seconds or ms, such as "1h30m"'],
    ['[1, "a"].join(",")', 'argument', 'join() is of a list of text'],
  ])('%s fails as %s, without any value', (source, code, message) => {
    const error = errorOf(source, { b: 'secret value', c: 'secret' });
    expect({ code: error.code, message: error.message }).toEqual({ code, message });
  });

  it('a variable without a value is an error of its own', () => {
    expect(() => make('env.a').evaluate({})).toThrow(expect.objectContaining({ code: 'unbound' }));
  });
});

describe('what evaluation may take', () => {
  const long = Array.from({ length: 1_000 }, (_, i) => i);
  const text = 'a'.repeat(100_000);
  it.each<[string, string, unknown]>([
    ['nested loops', 'event.l.all(a, event.l.all(b, event.l.all(c, c >= 0.0)))', { l: long }],
    ['nested loops that build', 'event.l.map(a, event.l.map(b, event.l)).size() > 0', { l: long }],
    ['an overrun in a branch of ||', 'event.l.all(a, event.l.all(b, b >= 0.0)) || true', { l: long }],
    ['an overrun in exists', 'event.l.exists(a, event.l.all(b, event.l.all(c, c >= 0.0)) || a == 5.0)', { l: long }],
    [
      'text that doubles',
      Array.from({ length: 20 }, (_, i) => `cel.bind(v${String(i + 1)}, v${String(i)} + v${String(i)}, `)
        .join('')
        .replace(/^/, 'cel.bind(v0, event.t, ') +
        'v20.size()' +
        ')'.repeat(21),
      { t: text },
    ],
    [
      'lists that double',
      Array.from({ length: 20 }, (_, i) => `cel.bind(v${String(i + 1)}, [v${String(i)}, v${String(i)}], `)
        .join('')
        .replace(/^/, 'cel.bind(v0, "x", ') +
        'v20' +
        ')'.repeat(21),
      {},
    ],
    ['joining with long text', 'event.t.split("").join(event.t).size()', { t: text.slice(0, 40_000) }],
    ['a pattern on long text', 'event.t.matches("(a{1,30}){1,10}b")', { t: text }],
    [
      'keys of a map, again and again',
      'event.l.all(a, event.m.exists(k, true))',
      { l: long, m: Object.fromEntries(long.map((i) => [i, i])) },
    ],
    ['comparing long lists', 'event.l.all(a, event.l == event.l)', { l: long }],
    ['a long key of many leaves', 'flatten(event.m).size()', { m: { [text]: long } }],
    [
      'HTML again and again',
      'event.l.all(a, htmlToText(event.t) != "x")',
      { l: long.slice(0, 10), t: '<ul><li>'.repeat(4_000) },
    ],
    ['errors that are swallowed', 'event.l.map(a, event.l.all(b, b.x || true)).size()', { l: long }],
    [
      'lists that nobody looks at',
      'cel.bind(x, event.l.map(a, event.t.split("")), true)',
      { l: long.slice(0, 20), t: text.slice(0, 20_000) },
    ],
    ['errors that exists swallows', 'event.l.exists(b, b.x == 1)', { l: Array.from({ length: 9_000 }, () => 1) }],
    ['a long result', 'event', { l: Array.from({ length: 300_000 }, () => 1) }],
  ])('%s: overruns, each time', (_, source, event) => {
    const expression = make(source);
    for (let i = 0; i < 2; i += 1) {
      expect(() => expression.evaluate({ event, record: {}, env: {} })).toThrow(
        new ExpressionError('overrun', `More than ${String(bounds.steps)} steps are needed`),
      );
    }
    expect(evaluate('1 + 1')).toBe(2);
  });

  it('data that is nested too deeply is refused, however it is touched', () => {
    let deep: unknown = 'x';
    for (let i = 0; i < 20_000; i += 1) deep = [deep];
    for (const source of [
      'event.d',
      'event.d == event.d',
      'event.d == "x"',
      'flatten(event.d)',
      'event.d + event.d',
      '"x" in event.d',
    ]) {
      expect([source, errorOf(source, { d: deep }).code]).toEqual([source, 'too-deep']);
    }
  });

  it('ordinary work stays far below', () => {
    const items = Array.from({ length: 500 }, (_, i) => ({ name: `n${String(i)}`, price: i }));
    expect(
      evaluate('event.items.filter(i, i.price > 10 && i.name.startsWith("n4")).map(i, i.name).size()', { items }),
    ).toBe(110);
  });
});
