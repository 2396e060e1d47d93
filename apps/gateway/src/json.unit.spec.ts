import fc from 'fast-check';
import { parseJson } from './json';

const codeOf = (text: string, maxDepth: number): unknown => {
  try {
    parseJson(Buffer.from(text), { maxDepth });
    return 'fine';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

it.each([
  ['[[1],[2]]', 2, 'fine'],
  ['[[[1]]]', 2, 'too-deep'],
  ['{"a":{"b":[1]}}', 3, 'fine'],
  ['{"a":{"b":[1]}}', 2, 'too-deep'],
  ['["[[[[", "\\"[[[[", "\\\\"]', 1, 'fine'],
  ['["\\\\", [[1]]]', 2, 'too-deep'],
  ['[', 1, 'not-json'],
  [']]]][', 1, 'not-json'],
])('says of %s with %d levels: %s', (text, maxDepth, said) => {
  expect(codeOf(text, maxDepth)).toBe(said);
});

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

it('counts levels as a parser does', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(6), (value, maxDepth) => {
      expect(codeOf(JSON.stringify(value), maxDepth)).toBe(depthOf(value) > maxDepth ? 'too-deep' : 'fine');
    }),
  );
});

it('ends on a body of nothing but brackets', () => {
  expect(codeOf('['.repeat(1024 * 1024), 64)).toBe('too-deep');
});
