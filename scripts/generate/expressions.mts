import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../infra/work-directory.mts';
import { code, page, table } from './markdown.mts';

interface Language {
  bounds: Record<string, number>;
  builtins: { signature: string; says: string }[];
  functionGroups: {
    title: string;
    functions: { signature: string; says: string; examples: [expression: string, result: unknown][] }[];
  }[];
}

/** The functions of expressions with their examples, which the tests check, and what an expression may take. */
export async function expressionsPage(): Promise<string> {
  const built = pathToFileURL(join(root, 'dist/libs/expressions/src/index.js')).href;
  const { bounds, builtins, functionGroups } = (await import(built)) as Language;
  return page(
    'Expressions',
    'Expressions are [CEL](https://cel.dev) with the functions below. They touch nothing, know no clock and no chance, and ' +
      'give the same for the same input. They are checked before they run: a name, a number of arguments or a type that ' +
      'does not fit is refused with its place and a remedy. An expression that fails on an input fails that input alone.',
    '## Values',
    'Values are JSON. **A member that is absent is null**, at every depth: `event.a.b` is null where there is no `a`, and ' +
      '`has(event.a)` says whether it is there and not null. (Only of a map that the expression itself wrote, a missing key ' +
      'is an error.) `null` fits no operator but `==`, `!=` and `in`: put `coalesce(…)` around what may be null. Numbers of ' +
      'the data count as `double`; a whole number in the expression may stand beside them. A result that is a time is ' +
      'written in RFC 3339, a whole number as a number where that is exact.',
    'A function gives null for null and for what it cannot read, unless its type says otherwise, and fails on arguments of ' +
      'the wrong kind, such as a list for a text, or a zone that there is not.',
    '## Bounds',
    'What would go beyond is refused or fails, at the same point each time: steps are counted, not time.',
    table(
      ['Of', 'At most'],
      Object.entries(bounds).map(([name, most]) => [
        shownBounds[name] ?? unknownBound(name),
        most.toLocaleString('en'),
      ]),
    ),
    '## Of CEL itself',
    'Literals, operators and these functions. There are no bytes, no unsigned numbers and no getters of times.',
    table(
      ['Function', 'Says'],
      builtins.map(({ signature, says }) => [code(signature), says]),
    ),
    ...functionGroups.flatMap(({ title, functions }) => [
      `## ${title}`,
      table(
        ['Function', 'Says', 'Examples'],
        functions.map(({ signature, says, examples }) => [
          code(signature),
          says,
          examples.map(shownExample).join('<br>'),
        ]),
      ),
    ]),
  );
}

const shownExample = ([expression, result]: [string, unknown]): string =>
  `${code(expression)} → ${code(JSON.stringify(result))}`;

const shownBounds: Record<string, string> = {
  source: 'Characters of an expression',
  nodes: 'Nodes of its syntax tree: names, literals, operators, calls',
  depth: 'Levels of its syntax tree',
  steps:
    'Steps of one evaluation: nodes of a loop’s body, elements and fields that are walked over, 16 characters of text',
  dataDepth: 'Levels of data that is compared, handed to a function or returned',
  pattern: 'Characters of a pattern',
  patternProgram: 'Instructions of a pattern, where `a{1000}` is a thousand',
};

function unknownBound(name: string): never {
  throw new Error(`Nothing is written of the bound ${name}`);
}
