import {
  type CountryCode,
  isSupportedCountry,
  parsePhoneNumberFromString,
  type PhoneNumber,
} from 'libphonenumber-js/max';
import { type FunctionGroup, shortTextOf } from './definition';

/** A number that exists in its country's plan. A country that is none, such as null, leaves only numbers with a `+`. */
function phoneOf(value: unknown, country: unknown): PhoneNumber | undefined {
  const [text, region] = [shortTextOf(value, 60), shortTextOf(country)?.toUpperCase()];
  if (text === null) return undefined;
  const home: CountryCode | undefined = region !== undefined && isSupportedCountry(region) ? region : undefined;
  const number = parsePhoneNumberFromString(text, { defaultCountry: home, extract: false });
  return number?.isValid() ? number : undefined;
}

export const phone: FunctionGroup = {
  title: 'Phone numbers',
  functions: [
    {
      signature: 'phone(value, country?)',
      says: 'The number in E.164, read as in the country (ISO 3166 alpha-2) where it has no `+`; null where there is no such number.',
      examples: [
        ['phone("030 23125000", "DE")', '+493023125000'],
        ['phone("+1 (212) 555-0100")', '+12125550100'],
        ['phone("call me", "DE")', null],
      ],
      cost: 500,
      run: (value: unknown, country?: unknown) => phoneOf(value, country)?.number ?? null,
    },
    {
      signature: 'nationalPhone(value, country?)',
      says: 'The number as it is written in its own country.',
      examples: [['nationalPhone("+493023125000")', '030 23125000']],
      cost: 500,
      run: (value: unknown, country?: unknown) => phoneOf(value, country)?.formatNational() ?? null,
    },
    {
      signature: 'phoneCountry(value, country?)',
      says: 'The country of the number (ISO 3166 alpha-2).',
      examples: [['phoneCountry("+493023125000")', 'DE']],
      cost: 500,
      run: (value: unknown, country?: unknown) => phoneOf(value, country)?.country ?? null,
    },
    {
      signature: 'isPhone(value, country?): bool',
      says: 'Whether there is such a number.',
      examples: [
        ['isPhone("030 23125000", "DE")', true],
        ['isPhone("123", "DE")', false],
      ],
      cost: 500,
      run: (value: unknown, country?: unknown) => phoneOf(value, country) !== undefined,
    },
  ],
};
