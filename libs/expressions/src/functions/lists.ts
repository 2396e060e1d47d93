import { spend } from '../bounds';
import { ExpressionError } from '../fault';
import { entriesOf, folded, type FunctionGroup, isMap, listOf, textOf } from './definition';

function leavesOf(value: unknown, path: string): [string, unknown][] {
  // A long key counts again for each leaf below it.
  spend(1 + (path.length >> 4));
  const inner = Array.isArray(value) ? Object.entries(value) : isMap(value) ? Object.entries(value) : [];
  if (inner.length === 0) return path === '' ? [] : [[path, value]];
  return inner.flatMap(([key, item]) => leavesOf(item, path === '' ? key : `${path}.${key}`));
}

/** HubSpot’s way of several options in one property. */
const optionsOf = (value: unknown): string[] => [
  ...new Set(
    (Array.isArray(value) ? (value as unknown[]) : (textOf(value) ?? '').split(';')).flatMap(
      (one) => textOf(one) ?? [],
    ),
  ),
];

export const lists: FunctionGroup = {
  title: 'Lists, maps and picklists',
  functions: [
    {
      signature: 'flatten(value)',
      says: 'A map of nested maps and lists as one map with dotted keys.',
      examples: [
        ['flatten({"a": {"b": 1, "c": [true, null]}})', { 'a.b': 1, 'a.c.0': true, 'a.c.1': null }],
        ['flatten(null)', {}],
      ],
      run: (value: unknown) => {
        if (!Array.isArray(value)) entriesOf(value);
        return Object.fromEntries(leavesOf(value, ''));
      },
    },
    {
      signature: 'mapped(value, choices, otherwise?)',
      says: 'What stands for the value in the map, whatever its case and accents; the last argument, or null, where nothing does.',
      examples: [
        ['mapped("  Lead ", {"lead": "MQL", "customer": "WON"})', 'MQL'],
        ['mapped("other", {"lead": "MQL"}, "NONE")', 'NONE'],
        ['mapped("constructor", {"lead": "MQL"})', null],
      ],
      run: (value: unknown, choices: unknown, otherwise: unknown = null) => {
        const text = typeof value === 'boolean' ? String(value) : textOf(value);
        if (text === null) return otherwise;
        const wanted = folded(text);
        return entriesOf(choices).find(([choice]) => folded(choice) === wanted)?.[1] ?? otherwise;
      },
    },
    {
      signature: 'options(value): list',
      says: 'The options of a HubSpot property with several of them: split at `;`, without blanks and repeats.',
      examples: [
        ['options("red; blue;;red")', ['red', 'blue']],
        ['options(null)', []],
      ],
      run: optionsOf,
    },
    {
      signature: 'joinOptions(value): string',
      says: 'A list of options as HubSpot writes it: joined by `;`, without blanks and repeats.',
      examples: [['joinOptions(["red", " blue", "red"])', 'red;blue']],
      run: (value: unknown) => {
        const options = optionsOf(value);
        if (options.some((option) => option.includes(';')))
          throw new ExpressionError('argument', 'An option has a ; in it');
        return options.join(';');
      },
    },
    {
      signature: 'distinct(list): list',
      says: 'The list without repeats of texts, numbers and booleans, in its order.',
      examples: [['distinct(["a", "b", "a"])', ['a', 'b']]],
      run: (value: unknown) => [...new Set(listOf(value))],
    },
    {
      signature: 'merged(first, second): map',
      says: 'Both maps in one; where both have a field, the second’s counts unless it is null or blank.',
      examples: [['merged({"a": "1", "b": "2"}, {"b": "3", "a": " "})', { a: '1', b: '3' }]],
      run: (first: unknown, second: unknown) => {
        const filled = ([, value]: [string, unknown]) =>
          value !== null && value !== undefined && !(typeof value === 'string' && value.trim() === '');
        const [before, after] = [entriesOf(first), entriesOf(second)];
        const all = new Map(before);
        for (const entry of after) if (filled(entry) || !all.has(entry[0])) all.set(...entry);
        return Object.fromEntries(all);
      },
    },
  ],
};
