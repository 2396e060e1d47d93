import { createRequire } from 'node:module';
import type * as O200k from 'gpt-tokenizer/encoding/o200k_base';

type Encoding = Pick<typeof O200k, 'countTokens'>;
let encoding: Encoding | undefined;

// Its table takes half a second and 60 MB: only texts that may be long need it. Named, not looked up by model: the library
// knows no newer ones.
function loaded(): Encoding {
  encoding ??= createRequire(__filename)('gpt-tokenizer/encoding/o200k_base') as Encoding;
  return encoding;
}

// What looks like one of the vendor's marks is a record's text like any other.
const AS_TEXT = { disallowedSpecial: new Set<string>() };
// The merging of tokens is quadratic in a run without an end: 65,000 characters of one would take a minute.
const LONG_RUN = /\S{65}|\s{65}/u;
const PIECES = /\s{0,64}\S{1,64}|\s{1,64}/gu;

/**
 * How many tokens a text is, by the encoding o200k_base; never fewer than a few percent below it. The same text is always
 * the same number, within two seconds for two megabytes whatever they are.
 */
export function tokensIn(text: string): number {
  const { countTokens } = loaded();
  if (!LONG_RUN.test(text)) return countTokens(text, AS_TEXT);
  return (text.match(PIECES) ?? []).reduce((sum, piece) => sum + countTokens(piece, AS_TEXT), 0);
}

/** Whether a text is certainly no more tokens than that, which needs no counting: a token is at least one byte. */
export const isWithin = (text: string, tokens: number): boolean => Buffer.byteLength(text) <= tokens;
