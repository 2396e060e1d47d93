/** What becomes of an answer's values that do not occur in what the model was told. */
export const UNSUPPORTED = ['leave-out', 'keep', 'fail'] as const;
export type Unsupported = (typeof UNSUPPORTED)[number];

type Answer = Record<string, unknown>;

/**
 * The places of an answer that nothing in the text bears out: of the fields named, numbers that the text names in no way of
 * writing, and words that do not stand there; of a list, its entries (`quotes.1`). What is null or true or false says
 * nothing that could be looked for.
 */
export function unsupportedIn(answer: Answer, fields: readonly string[], text: string): string[] {
  const numbers = numbersIn(text);
  const words = plain(text);
  const stands = (value: unknown): boolean => {
    if (typeof value === 'number') return numbers.has(value);
    return typeof value === 'string' ? words.includes(plain(value)) : true;
  };
  return fields.flatMap((field) => {
    const value = answer[field];
    if (!Array.isArray(value)) return stands(value) ? [] : [field];
    return value.flatMap((entry: unknown, i) => (stands(entry) ? [] : [`${field}.${String(i)}`]));
  });
}

/** The answer without what is unsupported: such a value becomes null, such an entry of a list goes. */
export function withoutUnsupported(answer: Answer, places: readonly string[]): Answer {
  const gone = new Set(places);
  return Object.fromEntries(
    Object.entries(answer).map(([field, value]) => {
      if (gone.has(field)) return [field, null];
      if (!Array.isArray(value)) return [field, value];
      return [field, value.filter((_, i) => !gone.has(`${field}.${String(i)}`))];
    }),
  );
}

/** Words without what a quotation may change: case, width, kind of quotation marks and dashes, spaces, an end mark. */
const plain = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[“”„«»‟]/g, '"')
    .replace(/[‘’‚‛]/g, "'")
    .replace(/[‐‑‒–—−]/g, '-')
    .replace(/\s+/g, ' ')
    .replace(/^["' ]+|["' .…]+$/g, '');

const FACTORS: Readonly<Record<string, number>> = {
  ...{ k: 1e3, thousand: 1e3, tausend: 1e3, tsd: 1e3, mille: 1e3 },
  ...{ m: 1e6, mm: 1e6, mn: 1e6, mio: 1e6, million: 1e6, millions: 1e6, millionen: 1e6 },
  ...{ bn: 1e9, b: 1e9, billion: 1e9, mrd: 1e9, milliarde: 1e9, milliarden: 1e9 },
};
const NUMBER = /(\d+(?:[.,' \u00a0\u202f’]\d+)*)\s?([a-z]+)?/g;

/** All numbers that a text may mean: each in every way in which its points, commas and spaces can be read. */
function numbersIn(text: string): Set<number> {
  const found = new Set<number>();
  const said = text.normalize('NFKC').toLowerCase();
  for (const [, digits = '', unit = ''] of said.matchAll(NUMBER)) {
    const factors = [1, ...(FACTORS[unit] === undefined ? [] : [FACTORS[unit]])];
    for (const reading of readings(digits)) for (const factor of factors) found.add(rounded(reading * factor));
    // "between 40 and 60": several numbers with spaces between them are each one of their own, too.
    for (const part of digits.split(/[ \u00a0\u202f]/)) for (const reading of readings(part)) found.add(reading);
  }
  for (const number of spelled(said)) found.add(number);
  return found;
}

// 1.5 * 1e6 is exact, 1.1 * 1e6 is not.
const rounded = (number: number): number => Number(number.toPrecision(12));

function readings(digits: string): number[] {
  const bare = digits.replace(/[ \u00a0\u202f'’]/g, '');
  const asPoint = Number(bare.replaceAll(',', ''));
  const asComma = Number(bare.replaceAll('.', '').replace(',', '.'));
  const asNone = Number(bare.replace(/[.,]/g, ''));
  return [asPoint, asComma, asNone].filter(Number.isFinite);
}

const ONES = 'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen'
  .concat(' seventeen eighteen nineteen')
  .split(' ');
const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const SCALES: Readonly<Record<string, number>> = { hundred: 100, thousand: 1e3, million: 1e6, billion: 1e9 };

/** Numbers in English words, such as "fifty thousand" or "one hundred and twenty". */
function* spelled(text: string): Generator<number> {
  let run: string[] = [];
  for (const word of [...text.split(/[^a-z]+/), '']) {
    if (valueOf(word) !== undefined || word in SCALES || (word === 'and' && run.length > 0)) run.push(word);
    else {
      if (run.some((one) => valueOf(one) !== undefined)) yield total(run);
      run = [];
    }
  }
}

function valueOf(word: string): number | undefined {
  const one = ONES.indexOf(word);
  if (one >= 0) return one;
  const ten = TENS.indexOf(word);
  return ten >= 0 ? (ten + 2) * 10 : undefined;
}

function total(words: readonly string[]): number {
  let [sum, part] = [0, 0];
  for (const word of words) {
    const scale = SCALES[word];
    if (scale === undefined) part += valueOf(word) ?? 0;
    else if (scale === 100) part = Math.max(1, part) * 100;
    else [sum, part] = [sum + Math.max(1, part) * scale, 0];
  }
  return sum + part;
}
