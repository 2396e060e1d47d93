import { unsupportedIn, withoutUnsupported } from './supported';

const notes = 'Call of Monday: "We have $50k ready for Q1", said the CTO. Compared with Acme’s  offer.';

describe('what nothing in the text bears out', () => {
  it.each([
    ['$50k ready', 50_000],
    ['a budget of 50,000 dollars', 50_000],
    ['50.000 € im Jahr', 50_000],
    ['50 000 EUR', 50_000],
    ["CHF 50'000", 50_000],
    ['fifty thousand dollars', 50_000],
    ['around 1.2m', 1_200_000],
    ['1,2 Mio. Euro', 1_200_000],
    ['1.250,75 €', 1_250.75],
    ['one hundred and twenty seats', 120],
    ['between 40 and 60 seats', 60],
    ['seats: 40 60 80', 60],
    ['２５ seats', 25],
    ['1.1 million', 1_100_000],
  ])('is not what stands there: %s', (text, budget) => {
    expect(unsupportedIn({ budget }, ['budget'], text)).toEqual([]);
  });

  it.each([
    ['We have $50k ready', 60_000],
    ['We have $50k ready', 50_000_000],
    ['We have $50k ready', 5_000],
    ['50 people, and a thousand questions', 50_000],
    ['no number at all', 1],
    ['', 50_000],
  ])('is a number that %j does not name: %d', (text, budget) => {
    expect(unsupportedIn({ budget }, ['budget'], text)).toEqual(['budget']);
  });

  it('is a quotation that nobody wrote, an entry for itself', () => {
    const quotes = ['we have $50k ready for Q1.', "Compared with Acme's offer", 'money is no object'];
    expect(unsupportedIn({ quotes }, ['quotes'], notes)).toEqual(['quotes.2']);
  });

  it('is looked for in the fields named, and nothing is said of what is empty', () => {
    const answer = { budget: null, urgent: true, summary: 'They will sign.', timeline: 'Q2' };
    expect(unsupportedIn(answer, ['budget', 'urgent', 'timeline', 'absent'], notes)).toEqual(['timeline']);
  });
});

it('leaves out of an answer what is unsupported, and nothing else', () => {
  const answer = { budget: 60_000, score: 80, quotes: ['a', 'b', 'c'] };
  expect(withoutUnsupported(answer, ['budget', 'quotes.1'])).toEqual({ budget: null, score: 80, quotes: ['a', 'c'] });
});
