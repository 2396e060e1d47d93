import { cut, type Entry, fitted, linesOf } from './condense';
import { isWithin, tokensIn } from './tokens';

const words =
  'They said that twenty seats at 50,000 dollars a year are too many for them, and asked for a quote.'.split(' ');
let seed = 7;
const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31);
const talk = (characters: number): string => {
  const said: string[] = [];
  for (let n = 0; n < characters;) {
    const word = words[random() % words.length] ?? '';
    said.push(random() % 13 === 0 ? `${word}.\n  ` : `${word} `);
    n += word.length + 1;
  }
  return said.join('').slice(0, characters);
};
const entry = (name: string, text: string, kind = 'notes'): Entry => ({ name, kind, text });
const long = talk(400_000);

describe('counting', () => {
  it('takes what looks like a mark of the vendor as text, and bytes as an upper bound', () => {
    expect(tokensIn('<|endoftext|> hello')).toBeGreaterThan(3);
    for (const text of ['Hello, world', '客户表示', '👩‍👩‍👧', '']) expect(isWithin(text, tokensIn(text) - 1)).toBe(false);
  });

  it.each([
    ['talk', talk(2_000_000)],
    ['one letter', 'a'.repeat(2_000_000)],
    ['one line of another script', '客户表示他们需要在周五之前获得二十个席位'.repeat(30_000)],
    ['blanks', ' '.repeat(2_000_000)],
  ])('two megabytes of %s are counted within a decision', (_, text) => {
    const began = performance.now();
    expect(tokensIn(text)).toBeGreaterThan(20_000);
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

describe('cutting', () => {
  it('loses nothing, cuts at ends of sentences, and makes parts of about one length', () => {
    const parts = cut(long, 5_000);
    expect(parts.map(({ text }) => text).join('')).toBe(long);
    for (const { text } of parts.slice(0, -1)) expect(text).toMatch(/\.\s*$/);
    const lengths = parts.map(({ text }) => tokensIn(text));
    expect(Math.max(...lengths)).toBeLessThanOrEqual(5_000);
    expect(Math.min(...lengths)).toBeGreaterThan(4_000);
  });

  it('cuts also what has no sentences, at words where there are some', () => {
    const plain = 'word '.repeat(40_000);
    expect(
      cut(plain, 5_000)
        .map(({ text }) => text)
        .join(''),
    ).toBe(plain);
    expect(cut(plain, 5_000).every(({ text }) => text.startsWith('word'))).toBe(true);
    const line = '席'.repeat(30_000);
    expect(
      cut(line, 5_000)
        .map(({ text }) => text)
        .join(''),
    ).toBe(line);
  });

  it('makes the same parts of the same text', () => {
    expect(cut(long)).toEqual(cut(long));
    expect(new Set(cut(long, 5_000).map(({ id }) => id)).size).toBe(cut(long, 5_000).length);
  });
});

describe('fitting', () => {
  const nothing = () => undefined;
  const missingIn = (entries: Entry[], most: number, known = new Map<string, string>()) => {
    const fit = fitted(entries, most, (id) => known.get(id));
    if (!('missing' in fit)) throw new Error('nothing is missing');
    return fit.missing;
  };

  it('leaves alone what fits', () => {
    const entries = [entry('a', 'one'), entry('b', talk(20_000))];
    expect(fitted(entries, 24_000, nothing)).toEqual({ entries, summedUp: [] });
    expect(fitted(entries, 8_000, nothing)).toEqual({ entries, summedUp: [] });
  });

  it('sums up the longest, in the same parts beside whatever else', () => {
    const missing = missingIn([entry('a', 'one'), entry('b', long)], 24_000);
    expect(missing.map(({ text }) => text).join('')).toBe(long);
    expect(missingIn([entry('x', talk(9_000)), entry('note of another day', long, 'calls')], 24_000)).toEqual(missing);
  });

  it('tells the summaries in the place of the text, and how long that was', () => {
    const entries = [entry('a', 'one'), entry('b', long), entry('c', 'three')];
    const known = new Map(missingIn(entries, 24_000).map(({ id }, i) => [id, `summary ${String(i)}`]));
    const fit = fitted(entries, 24_000, (id) => known.get(id));
    if (!('entries' in fit)) throw new Error('it does not fit');
    expect(fit.entries.map(({ name }) => name)).toEqual(['a', 'summary of b', 'c']);
    expect(linesOf(fit.entries)).toContain('summary 0\n  summary 1');
    expect(fit.summedUp).toEqual([
      { entry: 'b', characters: long.length, tokens: tokensIn(`b: ${long}`), parts: known.size },
    ]);
  });

  it('sums up many short ones together, by their kind', () => {
    const mails = Array.from({ length: 100 }, (_, i) => entry(`email ${String(i)}`, talk(2_000), 'emails'));
    const missing = missingIn([entry('a', 'one'), ...mails], 4_000);
    expect(missing.length).toBeLessThan(4);
    const known = new Map(missing.map(({ id }) => [id, 'short']));
    const fit = fitted([entry('a', 'one'), ...mails], 4_000, (id) => known.get(id));
    expect(fit).toMatchObject({ summedUp: [{ entry: expect.stringMatching(/^\d+ emails$/) as string }] });
  });

  it('sums up summaries that are too long together, and gives up where none is shorter', () => {
    const entries = [entry('b', long)];
    const known = new Map(missingIn(entries, 4_000).map(({ id }) => [id, talk(6_000)]));
    const second = missingIn(entries, 4_000, known);
    expect(second.length).toBeGreaterThan(0);
    for (const { id } of second) known.set(id, 'short at last');
    expect(fitted(entries, 4_000, (id) => known.get(id))).toMatchObject({
      entries: [{ name: 'summary of b', text: expect.stringContaining('short at last') as string }],
      summedUp: [{ entry: 'b', characters: long.length }],
    });
    const same = talk(60_000);
    expect(fitted(entries, 4_000, () => same)).toHaveProperty('tooLong');
  });

  it('refuses what would be too many parts', () => {
    const entries = Array.from({ length: 45 }, (_, i) => entry(`n${String(i)}`, talk(20_000)));
    expect(fitted(entries, 4_000, nothing)).toHaveProperty('tooLong');
  });
});
