import { heygenCodes, heygenFailureOf } from './heygen-failures';
import { inWords } from './refusals';

it('gives each code one class', () => {
  const classes = ['unpaid', 'refused', 'broken'] as const;
  const all = classes.flatMap((failure) => heygenCodes(failure).map((code) => [code, failure] as const));
  expect(new Set(all.map(([code]) => code)).size).toBe(all.length);
  for (const [code, failure] of all) expect(heygenFailureOf(code)).toBe(failure);
});

it('knows the codes of the guides as those that they stand for, and of others nothing', () => {
  expect(['4001', '4002', '5000', 'brand_new', 'constructor'].map(heygenFailureOf)).toEqual([
    heygenFailureOf('invalid_parameter'),
    heygenFailureOf('insufficient_credit'),
    heygenFailureOf('internal_error'),
    undefined,
    undefined,
  ]);
});

it.each(heygenCodes('unpaid'))('says of %s what helps', (code) => {
  expect(inWords(code).remedy).toMatch(/goes on by itself/);
});
