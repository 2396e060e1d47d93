/** What a text says, found by plain rules: the same text always gives the same signals. */
export interface Signals {
  text: string;
  sentences: string[];
  /** Largest sum of money named, and the words that name it. */
  money: { amount: number; phrase: string; currency: string } | undefined;
  /** From -1 (bad) to 1 (good); 0 when no mood word occurs. */
  mood: number;
  /** From 0 to 100: how ready the person seems to buy. */
  readiness: number;
  times: string[];
  numbers: number[];
}

const GOOD =
  'love great excellent happy excited impressed interested keen perfect thrilled pleased enthusiastic amazing good like positive glad eager ready thanks helpful success'.split(
    ' ',
  );
const BAD =
  'hate terrible angry frustrated disappointed upset poor bad annoyed unhappy cancel refund awful broken complaint worried expensive slow unacceptable negative problem'.split(
    ' ',
  );
const READY: [RegExp, number][] = [
  [/\bdemo\b/i, 12],
  [/\bpricing|\bquote\b|\bproposal\b/i, 12],
  [/\bbudget\b/i, 10],
  [/\bbuy|\bpurchase|\bsign\b|\bcontract\b/i, 14],
  [/\bdecision|\bapproved?\b|\bdecides?\b/i, 10],
  [/\burgent|\basap\b|\bimmediately|\bthis (week|month|quarter)\b/i, 12],
  [/\bmarketingqualifiedlead\b|\bsalesqualifiedlead\b|\bopportunity\b/i, 10],
  [/\b(cto|ceo|cfo|vp|director|head of)\b/i, 8],
  [/\bwebinar|\bdownload|\bconference|\bmeeting\b/i, 6],
  [/\bnot interested|\bno budget|\bunsubscribe|\bcompetitor\b/i, -30],
];

const MONTH = '(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*';
const TIMES = new RegExp(
  [
    String.raw`\bq[1-4](?:[ -]?(?:20)?\d\d)?\b`,
    String.raw`\b20\d\d-\d\d(?:-\d\d)?\b`,
    String.raw`\b${MONTH}\.? \d{1,2}(?:st|nd|rd|th)?(?:,? 20\d\d)?\b`,
    String.raw`\b(?:by|in|before|until|end of|early|late) ${MONTH}(?: 20\d\d)?\b`,
    String.raw`\b(?:this|next|last) (?:week|month|quarter|year)\b`,
    String.raw`\b(?:within|in) (?:the next )?(?:\d+|two|three|four|six) (?:days?|weeks?|months?|quarters?)\b`,
    String.raw`\b(?:asap|immediately|tomorrow|year[- ]end)\b`,
  ].join('|'),
  'gi',
);

const SYMBOLS: Record<string, string> = { $: 'USD', '€': 'EUR', '£': 'GBP' };
const FACTORS: Record<string, number> = { k: 1e3, thousand: 1e3, m: 1e6, mio: 1e6, million: 1e6 };
const MONEY =
  /([$€£])\s?(\d[\d,]*(?:\.\d+)?)\s?(k|m|mio|million|thousand)?\b|\b(\d[\d,]*(?:\.\d+)?)\s?(k|m|mio|million|thousand)?\s?(usd|eur|gbp|dollars?|euros?|pounds?)\b/gi;

function moneyIn(text: string): Signals['money'] {
  let best: Signals['money'];
  for (const [phrase, sign, before, factorBefore, after, factorAfter, word] of text.matchAll(MONEY)) {
    const factor = FACTORS[(factorBefore ?? factorAfter ?? '').toLowerCase()] ?? 1;
    const amount = Number((before ?? after ?? '').replaceAll(',', '')) * factor;
    const named = (word ?? '').slice(0, 3).toLowerCase();
    const currency = SYMBOLS[sign ?? ''] ?? { eur: 'EUR', gbp: 'GBP', pou: 'GBP' }[named] ?? 'USD';
    if (best === undefined || amount > best.amount) best = { amount, phrase: phrase.trim(), currency };
  }
  return best;
}

const isOneOf = (word: string, list: string[]): boolean =>
  list.includes(word) || (/[sd]$/.test(word) && list.includes(word.slice(0, -1)));

function moodOf(words: string[]): number {
  let [good, bad] = [0, 0];
  for (const [at, word] of words.entries()) {
    const isGood = isOneOf(word, GOOD);
    if (!isGood && !isOneOf(word, BAD)) continue;
    const negated = ['not', 'no', 'never', "don't", "isn't"].includes(words[at - 1] ?? '');
    if (isGood === negated) bad += 1;
    else good += 1;
  }
  return good + bad === 0 ? 0 : (good - bad) / (good + bad + 1);
}

/** A block of data between marker lines such as `<<<DATA` and `DATA>>>`. */
const BLOCK = /^<<<(\w+)[ \t]*\n([\s\S]*?)\n?^\1>>>[ \t]*$/m;
const NOTE_LABEL = /^note(?: of [\d-]+)?: */i;
const PROPERTY_LABEL = /^[a-z][a-z0-9_]*: */;

/** Takes markers and labels away, so that they are not taken for something said. */
function contentOf(text: string): { text: string; said: string; facts: string } {
  const block = BLOCK.exec(text)?.[2];
  if (block === undefined) return { text, said: text, facts: '' };
  const lines = block.split('\n');
  const facts = lines.filter((line) => !NOTE_LABEL.test(line) && PROPERTY_LABEL.test(line));
  const said = lines.filter((line) => !facts.includes(line)).map((line) => line.replace(NOTE_LABEL, ''));
  const values = facts.map((line) => line.replace(PROPERTY_LABEL, ''));
  return { text: [...facts, ...said].join('\n'), said: said.join('\n'), facts: values.join('\n') };
}

const tidy = (text: string): string =>
  text
    .replace(/<\/?[a-z][^<>]*>/gi, ' ')
    .replace(/[ \t]+/g, ' ')
    .trim();

const sentencesOf = (text: string): string[] =>
  text
    .split(/(?<=[.!?])\s+|\n+/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '');

export function signalsOf(given: string): Signals {
  const content = contentOf(given);
  const said = tidy(content.said);
  const clean = [said, tidy(content.facts)].filter(Boolean).join('\n');
  const words = clean.toLowerCase().split(/[^\p{L}\p{N}']+/u);
  const mood = moodOf(words);
  const money = moneyIn(clean);
  const heat = READY.reduce((sum, [pattern, weight]) => sum + (pattern.test(clean) ? weight : 0), 0);
  const worth = money === undefined ? 0 : Math.min(20, Math.round(4 * Math.log10(Math.max(1, money.amount))));
  return {
    text: tidy(content.text),
    sentences: sentencesOf(said || clean),
    money,
    mood,
    readiness: Math.max(0, Math.min(100, Math.round(30 + heat + worth + mood * 20))),
    times: [...new Set(clean.match(TIMES) ?? [])],
    numbers: [...clean.matchAll(/(?<![\w.])\d+(?:\.\d+)?\b/g)].map(([number]) => Number(number)),
  };
}
