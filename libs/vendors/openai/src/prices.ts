/** Of which day the prices below are, and in which unit: US dollars for a million tokens. */
export const PRICES_OF = '2026-11-21';

/** Where a question holds more tokens than this, all of it costs more: twice the input, one and a half times the output. */
const LONG = 272_000;

/** The part of a price that is paid for what is asked in a batch. */
export const BATCH_RATE = 0.5;

/** US dollars for a million tokens. */
export interface Price {
  input: number;
  output: number;
}

/** Prices by the model's id. */
export type Prices = Readonly<Record<string, Price>>;

/** By model, as OpenAI's model pages said on {@link PRICES_OF}; they move. */
const PRICES: Prices = {
  'gpt-6-luna': { input: 0.1, output: 0.5 },
  'gpt-6-sol': { input: 2, output: 10 },
  'gpt-6-astra': { input: 10, output: 50 },
  'gpt-5.6-luna': { input: 0.2, output: 1.2 },
  'gpt-5.6-terra': { input: 2, output: 12 },
  'gpt-5.6-sol': { input: 5, output: 30 },
  'gpt-5.5': { input: 5, output: 30 },
  'gpt-5.4': { input: 2.5, output: 15 },
  'gpt-5.4-mini': { input: 0.75, output: 4.5 },
  'gpt-5.4-nano': { input: 0.2, output: 1.25 },
  'gpt-4o': { input: 2.5, output: 10 },
  'gpt-4o-mini': { input: 0.15, output: 0.6 },
};

/**
 * What an answer costs in US dollars, at most: what the vendor had cached is counted as new. Undefined for a model whose
 * price is neither known nor `agreed`, which counts more. A model is known by its id, also with the day of its snapshot
 * behind it; `rate` is the part that is paid, as of a batch.
 */
export function usdFor(
  model: string,
  tokens: { input: number; output: number },
  { agreed = {}, rate = 1 }: { agreed?: Prices | undefined; rate?: number } = {},
): number | undefined {
  const prices = { ...PRICES, ...agreed };
  const price = prices[model] ?? prices[model.replace(/-\d{4}-\d{2}-\d{2}$/, '')];
  if (!price) return undefined;
  const [input, output] = tokens.input > LONG ? [2 * price.input, 1.5 * price.output] : [price.input, price.output];
  return (rate * (tokens.input * input + tokens.output * output)) / 1_000_000;
}
