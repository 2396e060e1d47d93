import Big from 'big.js';
import currencies from 'currency-codes';
import { type FunctionGroup, languageOf, shortTextOf } from './definition';

const digitsOf = new Map(currencies.data.map(({ code, digits }) => [code, digits]));
/** Signs that only one currency has; `$` and `¥` have several. */
const signs: Record<string, string> = {
  '€': 'EUR',
  '£': 'GBP',
  '₹': 'INR',
  '₺': 'TRY',
  '₪': 'ILS',
  '₴': 'UAH',
  '₩': 'KRW',
};
const decimal = /^-?\d{1,15}(\.\d{1,15})?$/;

/** An amount that is written plainly, as `amount(…)` gives it, or a number of the data by its shortest digits. */
function amountOf(value: unknown): Big | null {
  const text = shortTextOf(value, 40);
  return text !== null && decimal.test(text) ? new Big(text) : null;
}

function currencyOf(value: unknown): { code: string; digits: number } | null {
  const code = shortTextOf(value, 10)?.toUpperCase();
  const digits = code === undefined ? undefined : digitsOf.get(code);
  return code === undefined || digits === undefined ? null : { code, digits };
}

// `1.234` is a thousand in German and one and a bit in English: without a language it is neither.
function decimalSign(number: string, language: unknown): string | null | undefined {
  if (language !== undefined) return decimalSignOf(languageOf(language));
  const last = Math.max(number.lastIndexOf('.'), number.lastIndexOf(','));
  if (last < 0) return '.';
  const sign = number.charAt(last);
  const other = sign === '.' ? ',' : '.';
  if (number.includes(other)) return sign;
  if (number.indexOf(sign) < last) return other;
  return /^[1-9]\d{0,2}[.,]\d{3}$/.test(number) ? null : sign;
}

const decimalSignOf = (language: string): string | undefined =>
  new Intl.NumberFormat(language, { numberingSystem: 'latn' }).formatToParts(1.1).find(({ type }) => type === 'decimal')
    ?.value;

/** The digits and separators of an amount between signs, and whether it is below 0; undefined where that is not all. */
function digitsIn(text: string): { number: string; minus: boolean } | undefined {
  const match = /^(\()?([-+])?[^\d+().,-]{0,12}([-+])?(\d[\d.,'’\s]*)[^\d+().,-]{0,12}([-+])?(\))?$/u.exec(
    text.normalize('NFKC'),
  );
  if (!match || (match[1] === '(') !== (match[6] === ')')) return undefined;
  const minus = match[1] === '(' || [match[2], match[3], match[5]].includes('-');
  return { number: (match[4] ?? '').replace(/['’\s]/g, '').replace(/[.,]$/, ''), minus };
}

function readAmount(value: unknown, language: unknown): string | null {
  if (language !== undefined) languageOf(language);
  if (typeof value === 'number' || typeof value === 'bigint') return amountOf(value)?.toFixed() ?? null;
  const digits = digitsIn(shortTextOf(value, 60) ?? '');
  const sign = digits && decimalSign(digits.number, language);
  return digits && sign ? plainly(digits.number, sign, digits.minus) : null;
}

function plainly(number: string, sign: string, minus: boolean): string | null {
  const [whole = '', fraction = '0', ...more] = number.split(sign);
  if (more.length > 0 || !/^\d{1,3}([.,]\d{3})+$|^\d+$/.test(whole)) return null;
  return amountOf(`${minus ? '-' : ''}${whole.replace(/[.,]/g, '')}.${fraction}`)?.toFixed() ?? null;
}

const two = (a: unknown, b: unknown, of: (a: Big, b: Big) => Big): string | null => {
  const [left, right] = [amountOf(a), amountOf(b)];
  return left && right ? of(left, right).toFixed() : null;
};

export const amounts: FunctionGroup = {
  title: 'Amounts of money',
  functions: [
    {
      signature: 'amount(value, language?)',
      says:
        'An amount of money as plain decimal text, which no float has touched. Signs, codes and separators are read; text ' +
        'that means different amounts in different languages, such as "1.234", is null unless the language is given.',
      examples: [
        ['amount("1.234,56 €")', '1234.56'],
        ['amount("USD 1,234.50")', '1234.5'],
        ['amount("(12.30)")', '-12.3'],
        ['amount("1.234")', null],
        ['amount("1.234", "de")', '1234'],
      ],
      cost: 50,
      run: readAmount,
    },
    {
      signature: 'addAmounts(a, b)',
      says: 'The exact sum of two amounts.',
      examples: [['addAmounts("0.1", "0.2")', '0.3']],
      run: (a: unknown, b: unknown) => two(a, b, (left, right) => left.plus(right)),
    },
    {
      signature: 'multiplyAmount(amount, factor)',
      says: 'The exact product; round it with `roundAmount`.',
      examples: [['multiplyAmount("19.99", "1.19")', '23.7881']],
      run: (a: unknown, b: unknown) => two(a, b, (left, right) => left.times(right)),
    },
    {
      signature: 'compareAmounts(a, b)',
      says: '-1, 0 or 1 as the first amount is less than, equal to or more than the second; null where one is none.',
      examples: [['compareAmounts("10.00", "9.5")', 1]],
      run: (a: unknown, b: unknown) => {
        const [left, right] = [amountOf(a), amountOf(b)];
        return left && right ? BigInt(left.cmp(right)) : null;
      },
    },
    {
      signature: 'roundAmount(amount, currency)',
      says: 'The amount with the decimals of the currency (ISO 4217), halves away from zero.',
      examples: [
        ['roundAmount("23.785", "EUR")', '23.79'],
        ['roundAmount("23.785", "JPY")', '24'],
      ],
      run: (amount: unknown, currency: unknown) => {
        const [number, known] = [amountOf(amount), currencyOf(currency)];
        return number && known ? number.toFixed(known.digits, 1) : null;
      },
    },
    {
      signature: 'currencyCode(value)',
      says: 'The ISO 4217 code of a code or of a sign that only one currency has; null otherwise.',
      examples: [
        ['currencyCode("eur")', 'EUR'],
        ['currencyCode("€")', 'EUR'],
        ['currencyCode("$")', null],
      ],
      run: (value: unknown) => {
        const text = shortTextOf(value, 10);
        return text === null ? null : (signs[text] ?? currencyOf(text)?.code ?? null);
      },
    },
    {
      signature: 'minorUnits(amount, currency)',
      says: 'The amount in cents, or whatever the currency has; null where it has a smaller part than that.',
      examples: [
        ['minorUnits("12.34", "EUR")', 1234],
        ['minorUnits("12.345", "EUR")', null],
      ],
      run: (amount: unknown, currency: unknown) => {
        const [number, known] = [amountOf(amount), currencyOf(currency)];
        if (!number || !known) return null;
        const text = number.times(new Big(10).pow(known.digits)).toFixed();
        return /^-?\d{1,15}$/.test(text) ? BigInt(text) : null;
      },
    },
    {
      signature: 'fromMinorUnits(units, currency)',
      says: 'The amount of so many cents, or whatever the currency has.',
      examples: [['fromMinorUnits(1234, "EUR")', '12.34']],
      run: (units: unknown, currency: unknown) => {
        const [number, known] = [amountOf(units), currencyOf(currency)];
        return number && known ? number.div(new Big(10).pow(known.digits)).toFixed(known.digits) : null;
      },
    },
    {
      signature: 'formatAmount(amount, currency, language)',
      says: 'The amount for people to read, with the decimals of the currency.',
      examples: [['formatAmount("1234.5", "USD", "en")', '$1,234.50']],
      cost: 1_000,
      run: (amount: unknown, currency: unknown, language: unknown) => {
        const [number, known, locale] = [amountOf(amount), currencyOf(currency), languageOf(language)];
        if (!number || !known) return null;
        const { code, digits } = known;
        const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
        const format = new Intl.NumberFormat(locale, { style: 'currency', currency: code, ...options });
        return format.format(number.toFixed() as `${number}`);
      },
    },
  ],
};
