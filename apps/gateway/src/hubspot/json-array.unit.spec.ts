import fc from 'fast-check';
import { splitJsonArray } from './json-array';

const split = (text: string) => splitJsonArray(Buffer.from(text)).map(String);

it.each<[string, string[]]>([
  ['[]', []],
  [' [ \n ] ', []],
  ['[1]', ['1']],
  ['\t[ 1 ,\r\n "a,b" , null ]\n', ['1', '"a,b"', 'null']],
  ['[{"a":[1,2]},[[],{}]]', ['{"a":[1,2]}', '[[],{}]']],
  [
    String.raw`["]","[","{,}","\"],[","\\",{"\\\"":"]"}]`,
    ['"]"', '"["', '"{,}"', String.raw`"\"],["`, String.raw`"\\"`, String.raw`{"\\\"":"]"}`],
  ],
  ['["Zoë 😀,]"]', ['"Zoë 😀,]"']],
  ['[{"b" : 1.0e2,"a":"\\u0041"}, -0]', ['{"b" : 1.0e2,"a":"\\u0041"}', '-0']],
])('cuts %s', (text, elements) => {
  expect(split(text)).toEqual(elements);
});

/** Any JSON value, printed with any amount of whitespace between its tokens. */
const space = fc.constantFrom('', '', ' ', '\n', '\t\r\n ');
const printed = fc
  .tuple(fc.jsonValue({ maxDepth: 4, stringUnit: 'grapheme' }), fc.constantFrom(undefined, 1, '\t'))
  .map(([value, indent]) => JSON.stringify(value, null, indent));

it('gives the exact bytes of every element of any array', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(printed, space, space)), space, space, (parts, before, after) => {
      const inside = parts.map(([text, left, right]) => left + text + right).join(',');
      const text = `${before}[${parts.length === 0 ? after : inside}]${after}`;
      expect(JSON.parse(text)).toHaveLength(parts.length);
      const elements = split(text);
      expect(elements).toEqual(parts.map(([element]) => element));
      expect(JSON.parse(`[${elements.join(',')}]`)).toEqual(JSON.parse(text));
    }),
    { numRuns: 500 },
  );
});

it('takes strings with any characters, escaped or not', () => {
  const nasty = fc.string({
    unit: fc.constantFrom('"', '\\', '[', ']', '{', '}', ',', ':', 'ë', '😀', ' ', '\n', 'u'),
  });
  fc.assert(
    fc.property(fc.array(nasty), (values) => {
      const text = JSON.stringify(values);
      expect(split(text)).toEqual(values.map((value) => JSON.stringify(value)));
    }),
    { numRuns: 500 },
  );
});
