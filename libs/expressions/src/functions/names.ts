import { type FunctionGroup, shortTextOf } from './definition';
import { isPersonName, isPlaceholder } from './placeholder';

const words = (list: string): Set<string> => new Set(list.split(' '));
const particles = words('van von de der den del della di da dos du la le ter ten zu zum zur af av bin ibn al el y e');
const titles = words('dr prof mr mrs ms miss mx herr frau sir mag ing dipl dipl-ing mme mlle sr sra dott');

/** A name as its owner would write it where it came in one case; who mixed cases meant it. */
function capitalised(name: string): string {
  if (name !== name.toUpperCase() && name !== name.toLowerCase()) return name;
  return name
    .toLowerCase()
    .split(' ')
    .map((word, index) => (index > 0 && particles.has(word) ? word : word.replace(/(^|[-'’])(mc)?(\p{L})/gu, raised)))
    .join(' ');
}

const raised = (_: string, before: string, mc: string | undefined, letter: string): string =>
  `${before}${mc === undefined ? '' : 'Mc'}${letter.toUpperCase()}`;

function nameOf(value: unknown): string | null {
  const text = shortTextOf(value, 200)?.normalize('NFC').replace(/\s+/gu, ' ');
  return text !== undefined && isPersonName(text) ? capitalised(text) : null;
}

/** The two parts of a full name, `First Last` or `Last, First`, without titles; particles belong to the last name. */
function partsOf(value: unknown): { first: string | null; last: string | null } {
  const name = nameOf(value);
  if (name === null) return { first: null, last: null };
  const [before = '', after] = name.split(', ', 2);
  if (after !== undefined)
    return { first: withoutTitles(after).join(' ') || null, last: withoutTitles(before).join(' ') || null };
  const parts = withoutTitles(name);
  const particle = parts.findIndex((part, index) => index > 0 && particles.has(part.toLowerCase()));
  const start = particle > 0 ? particle : Math.max(parts.length - 1, 1);
  return { first: parts.slice(0, start).join(' ') || null, last: parts.slice(start).join(' ') || null };
}

const withoutTitles = (name: string): string[] =>
  name.split(' ').filter((part) => part !== '' && !titles.has(part.toLowerCase().replaceAll('.', '')));

const initialOf = (part: string | null): string =>
  part
    ?.split(' ')
    .find((word) => !particles.has(word.toLowerCase()))
    ?.match(/\p{L}/u)?.[0]
    .toUpperCase() ?? '';

export const names: FunctionGroup = {
  title: 'Names of people',
  functions: [
    {
      signature: 'personName(value)',
      says: 'A name with capitals where it came without or in nothing else; null for a placeholder or what has no letter.',
      examples: [
        ['personName("ADA  LOVELACE-KING")', 'Ada Lovelace-King'],
        ['personName("ludwig van beethoven")', 'Ludwig van Beethoven'],
        ['personName("n/a")', null],
      ],
      run: nameOf,
    },
    {
      signature: 'firstName(value)',
      says: 'The first names of a full name, without titles.',
      examples: [
        ['firstName("Dr. Ada Lovelace")', 'Ada'],
        ['firstName("LOVELACE, ADA")', 'Ada'],
      ],
      run: (value: unknown) => partsOf(value).first,
    },
    {
      signature: 'lastName(value)',
      says: 'The last name of a full name with its particles; null where there is only one name.',
      examples: [
        ['lastName("Ludwig van Beethoven")', 'van Beethoven'],
        ['lastName("Ada")', null],
      ],
      run: (value: unknown) => partsOf(value).last,
    },
    {
      signature: 'initials(value)',
      says: 'The first letters of the first and the last name.',
      examples: [['initials("Ludwig van Beethoven")', 'LB']],
      run: (value: unknown) => {
        const { first, last } = partsOf(value);
        return `${initialOf(first)}${initialOf(last)}` || null;
      },
    },
    {
      signature: 'isPersonName(value): bool',
      says: 'Whether the value can be a person’s name: it has a letter and is no placeholder.',
      examples: [
        ['isPersonName("Ada")', true],
        ['isPersonName("test")', false],
      ],
      run: (value: unknown) => isPersonName(shortTextOf(value)),
    },
    {
      signature: 'isPlaceholder(value): bool',
      says: 'Whether a text only stands where a value should be: blank, "N/A", "test", "-", …',
      examples: [
        ['isPlaceholder("N/A")', true],
        ['isPlaceholder(null)', true],
        ['isPlaceholder("Ada")', false],
      ],
      run: (value: unknown) => isPlaceholderValue(value),
    },
  ],
};

/** Like `isPlaceholder`, for any value; text that is too long for a placeholder is none. */
export function isPlaceholderValue(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  return typeof value === 'string' && value.trim().length <= 300 && isPlaceholder(value);
}
