import fc from 'fast-check';
import { builtins, compile, ExpressionError, ExpressionFault, type Expression, functionGroups } from './index';
import { given } from './testing/given';

const scope = { variables: { record: 'named', event: 'any', x: 'any' } } as const;
const examples = functionGroups.flatMap(({ functions }) =>
  functions.flatMap((one) => one.examples.map(([source]) => source)),
);

/** Pieces that make up expressions: most strings of them do not parse, enough of them do. */
const pieces = [
  ...[
    'record',
    'event',
    'x',
    '.a',
    '.b',
    '["a"]',
    '[0]',
    '[x]',
    '.constructor',
    '["__proto__"]',
    '"text"',
    '1',
    '2.5',
    '-',
  ],
  ...[
    'null',
    'true',
    ' + ',
    ' == ',
    ' in ',
    ' > ',
    ' && ',
    ' || ',
    '!',
    ' ? ',
    ' : ',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    ', ',
  ],
  ...['.map(y, ', '.exists(y, ', '.filter(y, ', 'cel.bind(y, ', 'y', 'has(event.a)', 'size(', '.size()', '.split("")'],
  ...[
    '.join(',
    '.matches("a*b")',
    'timestamp(',
    'duration(',
    'coalesce(',
    'flatten(',
    'mapped(',
    'b"x"',
    '1u',
    "'",
    '\\',
  ],
];
const valid = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(
      'event.a',
      'event',
      'x',
      'x[0]',
      'record.a',
      'null',
      '"a;b"',
      '1',
      '2.5',
      '[]',
      '{"a": x}',
      ...examples,
    ),
    fc
      .tuple(tie('value'), fc.constantFrom('+', '-', '==', 'in', '<', '&&', '||'), tie('value'))
      .map((parts) => `(${parts.join(' ')})`),
    fc
      .tuple(tie('value'), fc.constantFrom('map', 'filter', 'exists', 'all'), tie('value'))
      .map(([a, m, b]) => `(${a}).${m}(x, ${b})`),
    fc.tuple(tie('value'), tie('value'), tie('value')).map(([a, b, c]) => `(${a} == ${b} ? dyn(${c}) : dyn(${b}))`),
    fc
      .tuple(fc.constantFrom('coalesce', 'flatten', 'text', 'options', 'isBlank', 'size', 'dyn'), tie('value'))
      .map(([f, a]) => `${f}(${a})`),
  ),
})).value;
const source = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 500 }),
  fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((parts) => parts.join('').slice(0, 500)),
  valid.filter((text) => text.length <= 500),
);

function compiled(text: string): Expression | undefined {
  try {
    return compile(text, scope);
  } catch (error) {
    if (!(error instanceof ExpressionFault)) throw error;
    expect(error.offset).toBeGreaterThanOrEqual(0);
    expect(error.end).toBeGreaterThanOrEqual(error.offset);
    expect(error.end).toBeLessThanOrEqual(text.length);
    expect([error.message, error.remedy]).not.toContain('');
    return undefined;
  }
}

function outcomeOf(expression: Expression, bindings: Record<string, unknown>): unknown {
  try {
    const value = expression.evaluate(bindings, given);
    expect(JSON.parse(JSON.stringify(value))).toEqual(value);
    return { value };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { code: error.code, message: error.message };
  }
}

it('any text compiles or is an ExpressionFault within it', () => {
  fc.assert(fc.property(source, (text) => void compiled(text)));
});

it('any expression on any data gives JSON or an ExpressionError, twice the same, and leaves the data alone', () => {
  let ran = 0;
  fc.assert(
    fc.property(source, fc.jsonValue(), fc.jsonValue(), (text, event, x) => {
      const expression = compiled(text);
      if (!expression) return;
      ran += 1;
      const before = JSON.stringify([event, x]);
      const bindings = { event, x, record: { a: 'a', b: null } };
      expect(outcomeOf(expression, bindings)).toEqual(outcomeOf(compile(text, scope), bindings));
      expect(JSON.stringify([event, x])).toBe(before);
    }),
    { numRuns: 500 },
  );
  expect(ran).toBeGreaterThan(50);
});

it('what an expression says it reads is all that it needs', () => {
  fc.assert(
    fc.property(valid, fc.jsonValue(), (text, event) => {
      const expression = text.length <= 500 ? compiled(text) : undefined;
      if (!expression) return;
      const [whole, parts] = [{ a: 'a', b: 'b' }, new Set(expression.reads['record']?.map(([member]) => member))];
      const fetched = Object.fromEntries(Object.entries(whole).filter(([member]) => parts.has(member)));
      const outcomes = [whole, fetched].map((record) => outcomeOf(expression, { event, x: [1, 'a'], record }));
      expect(outcomes[0]).toEqual(outcomes[1]);
    }),
    { numRuns: 300 },
  );
});

it.each(builtins.map(({ signature, says }) => ({ signature, says })))('$signature is said what it does', ({ says }) => {
  expect(says).toMatch(/[.)]$/);
});
