import de from 'i18n-iso-countries/langs/de.json';
import en from 'i18n-iso-countries/langs/en.json';
import es from 'i18n-iso-countries/langs/es.json';
import fr from 'i18n-iso-countries/langs/fr.json';
import it from 'i18n-iso-countries/langs/it.json';
import nl from 'i18n-iso-countries/langs/nl.json';
import pt from 'i18n-iso-countries/langs/pt.json';
import { iso31661, iso31662 } from 'iso-3166';
import { ExpressionError } from '../fault';
import { choiceOf, folded, type FunctionGroup, shortTextOf } from './definition';

const languages = { de, en, es, fr, it, nl, pt };
const namesIn = new Map(
  Object.entries(languages).map(([language, { countries }]) => [language, new Map(Object.entries(countries))]),
);

/** Codes by what people write for them: alpha-2, alpha-3 and the names in the languages above. */
const countries = new Map<string, string>();
for (const names of namesIn.values()) {
  for (const [code, name] of names) for (const one of [name].flat()) countries.set(folded(one), code);
}
for (const { alpha2, alpha3 } of iso31661) {
  countries.set(alpha2.toLowerCase(), alpha2);
  countries.set(alpha3.toLowerCase(), alpha2);
}
countries.set('uk', 'GB');

/** Subdivisions by country, name and code; a name that a country gave twice counts for none. */
const subdivisions = new Map<string, string | null>();
for (const { code, name } of iso31662) {
  const country = code.slice(0, 2);
  const named = `${country}:${folded(name)}`;
  subdivisions.set(named, subdivisions.has(named) ? null : code);
}
for (const { code } of iso31662) subdivisions.set(`${code.slice(0, 2)}:${code.slice(3).toLowerCase()}`, code);

const countryOf = (value: unknown): string | null => {
  const text = shortTextOf(value, 100);
  return text === null ? null : (countries.get(folded(text)) ?? null);
};

export const places: FunctionGroup = {
  title: 'Countries and states',
  functions: [
    {
      signature: 'countryCode(value)',
      says:
        'The ISO 3166-1 alpha-2 code of a country, by alpha-2, alpha-3 or its name in English, German, Spanish, French, ' +
        'Italian, Dutch or Portuguese; null where it is not known.',
      examples: [
        ['countryCode("Deutschland")', 'DE'],
        ['countryCode("usa")', 'US'],
        ['countryCode("Cote d’Ivoire")', 'CI'],
        ['countryCode("Atlantis")', null],
      ],
      run: countryOf,
    },
    {
      signature: 'countryName(value, language?)',
      says: 'The name of a country in English, or in de, es, fr, it, nl or pt.',
      examples: [['countryName("DE", "fr")', 'Allemagne']],
      run: (value: unknown, language: unknown = 'en') => {
        const names = namesIn.get(choiceOf(language));
        if (!names)
          throw new ExpressionError('argument', `No such language; there are ${[...namesIn.keys()].join(', ')}`);
        return [names.get(countryOf(value) ?? '') ?? null].flat()[0];
      },
    },
    {
      signature: 'subdivisionCode(value, country)',
      says: 'The ISO 3166-2 code of a state or province, by its code or by the name that ISO gives it; null where it is not known.',
      examples: [
        ['subdivisionCode("California", "US")', 'US-CA'],
        ['subdivisionCode("by", "Germany")', 'DE-BY'],
        ['subdivisionCode("Nowhere", "US")', null],
      ],
      run: (value: unknown, country: unknown) => {
        const [text, code] = [shortTextOf(value, 100), countryOf(country)];
        if (text === null || code === null) return null;
        const name = folded(text);
        return subdivisions.get(`${code}:${name.startsWith(`${code.toLowerCase()}-`) ? name.slice(3) : name}`) ?? null;
      },
    },
  ],
};
