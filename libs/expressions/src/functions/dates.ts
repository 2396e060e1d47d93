import { DateTime, type DateTimeUnit, type DurationLikeObject, IANAZone } from 'luxon';
import { ExpressionError } from '../fault';
import { choiceOf, type FunctionGroup, languageOf, shortTextOf, wholeOf } from './definition';

const units = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second'] as const;
const rfc3339 = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/i;

/** The instant of a time as data holds it, in UTC; null where the value is none. */
export function instantOf(value: unknown): DateTime<true> | null {
  if (value instanceof Date) return known(DateTime.fromJSDate(value, { zone: 'utc' }));
  const text = shortTextOf(value, 40);
  if (text === null) return null;
  if (/^-?\d{11,15}$/.test(text)) return known(DateTime.fromMillis(Number(text), { zone: 'utc' }));
  return rfc3339.test(text) ? known(DateTime.fromISO(text, { zone: 'utc' })) : null;
}

const known = (time: DateTime): DateTime<true> | null =>
  time.isValid && time.year >= 1 && time.year <= 9999 ? (time as DateTime<true>) : null;

const shown = (time: DateTime | null): string | null =>
  time === null ? null : (known(time)?.toUTC().toISO() ?? refuse('The time lies outside of the years 1 to 9999'));

function refuse(message: string): never {
  throw new ExpressionError('argument', message);
}

// Never the machine's own zone, which `local` and `system` would be.
function zoneOf(value: unknown): string {
  if (value === undefined) return 'utc';
  const zone = choiceOf(value);
  if (zone === 'UTC') return 'utc';
  if (/^[+-]\d{2}:\d{2}$/.test(zone)) return `utc${zone}`;
  const known = /^[A-Z][\w+-]*(\/[A-Z][\w+-]*){1,2}$/.test(zone) && IANAZone.isValidZone(zone);
  return known ? zone : refuse('No such time zone; name one as "Europe/Berlin", "UTC" or "+02:00"');
}

function unitOf(value: unknown): DateTimeUnit {
  const name = choiceOf(value).replace(/s$/, '');
  return units.find((unit) => unit === name) ?? refuse(`No such unit; there are ${units.join(', ')}`);
}

function formatOf(value: unknown): string {
  const format = choiceOf(value);
  return format.length <= 60 ? format : refuse('A format has at most 60 characters');
}

/** Without a year, a parser would take the present one from the machine's clock. */
function readingFormatOf(value: unknown): string {
  const format = formatOf(value);
  const tokens = format.replace(/'[^']*('|$)/g, '');
  return /^[^yXx]*(y|X|x)/.test(tokens) && !/[tTDfF]/.test(tokens)
    ? format
    : refuse('A format to read by needs the year (yyyy) or the Unix time (X, x), and no short forms (D, t, f)');
}

export const dates: FunctionGroup = {
  title: 'Dates and time zones',
  functions: [
    {
      signature: 'time(value)',
      says:
        'The instant in RFC 3339, in UTC; reads RFC 3339, a plain date (its midnight in UTC) and milliseconds since 1970 as ' +
        'HubSpot writes them. Null for anything else. All functions on times read the same.',
      examples: [
        ['time("2026-03-01T10:00:00+02:00")', '2026-03-01T08:00:00.000Z'],
        ['time("1767225600000")', '2026-01-01T00:00:00.000Z'],
        ['time("2026-02-30")', null],
      ],
      cost: 20,
      run: (value: unknown) => shown(instantOf(value)),
    },
    {
      signature: 'parseTime(value, format, zone?, language?)',
      says:
        'Reads a time by a format of [Luxon’s tokens](https://moment.github.io/luxon/#/parsing); without an offset in the ' +
        'text it is one of the zone (UTC). Null where the text does not fit. The format must hold the year.',
      examples: [
        ['parseTime("01.03.2026 10:00", "dd.MM.yyyy HH:mm", "Europe/Berlin")', '2026-03-01T09:00:00.000Z'],
        ['parseTime("1. März 2026", "d. MMMM yyyy", "UTC", "de")', '2026-03-01T00:00:00.000Z'],
        ['parseTime("soon", "yyyy-MM-dd")', null],
      ],
      cost: 200,
      run: (value: unknown, format: unknown, zone?: unknown, language: unknown = 'en') => {
        const [tokens, options] = [readingFormatOf(format), { zone: zoneOf(zone), locale: languageOf(language) }];
        const text = shortTextOf(value, 100);
        return text === null ? null : shown(known(DateTime.fromFormat(text, tokens, options)));
      },
    },
    {
      signature: 'formatTime(time, format, zone?, language?)',
      says: 'Writes a time by a format of Luxon’s tokens, in a zone (UTC) and a language (en).',
      examples: [
        ['formatTime("2026-03-01T09:00:00Z", "dd.MM.yyyy HH:mm", "Europe/Berlin")', '01.03.2026 10:00'],
        ['formatTime("2026-03-01", "d. MMMM", "UTC", "de")', '1. März'],
        ['formatTime(null, "yyyy")', null],
      ],
      cost: 200,
      run: (time: unknown, format: unknown, zone?: unknown, language: unknown = 'en') => {
        const [tokens, where, locale] = [formatOf(format), zoneOf(zone), languageOf(language)];
        return instantOf(time)?.setZone(where).setLocale(locale).toFormat(tokens) ?? null;
      },
    },
    {
      signature: 'inZone(time, zone)',
      says: 'The same instant in RFC 3339 with the offset that the zone then has.',
      examples: [['inZone("2026-07-01T10:00:00Z", "Europe/Berlin")', '2026-07-01T12:00:00.000+02:00']],
      cost: 50,
      run: (time: unknown, zone: unknown) => {
        const where = zoneOf(choiceOf(zone));
        return instantOf(time)?.setZone(where).toISO() ?? null;
      },
    },
    {
      signature: 'addTime(time, count, unit, zone?)',
      says:
        'The time so many units later, or earlier. Days and longer units keep the clock time of the zone (UTC); a day that ' +
        'a month lacks becomes its last.',
      examples: [
        ['addTime("2026-01-31", 1, "month")', '2026-02-28T00:00:00.000Z'],
        ['addTime("2026-03-28T10:00:00Z", 1, "days", "Europe/Berlin")', '2026-03-29T09:00:00.000Z'],
      ],
      cost: 50,
      run: (time: unknown, count: unknown, unit: unknown, zone?: unknown) => {
        const by: DurationLikeObject = { [unitOf(unit)]: wholeOf(count, -1_000_000, 1_000_000) };
        const where = zoneOf(zone);
        return shown(instantOf(time)?.setZone(where).plus(by) ?? null);
      },
    },
    {
      signature: 'timeBetween(from, to, unit, zone?)',
      says: 'The number of whole units from one time to another, below 0 where the second is the earlier one.',
      examples: [
        ['timeBetween("2026-01-01", "2026-03-15", "months")', 2],
        ['timeBetween("2026-01-02", "2026-01-01", "hours")', -24],
      ],
      cost: 300,
      run: (from: unknown, to: unknown, unit: unknown, zone?: unknown) => {
        const [of, where] = [unitOf(unit), zoneOf(zone)];
        const [start, end] = [instantOf(from)?.setZone(where), instantOf(to)?.setZone(where)];
        return start && end ? BigInt(Math.trunc(end.diff(start, of).as(of))) : null;
      },
    },
    {
      signature: 'startOfTime(time, unit, zone?)',
      says: 'The beginning of the year, quarter, month, week (Monday), day, hour, minute or second in the zone (UTC).',
      examples: [['startOfTime("2026-03-15T10:00:00Z", "month", "Europe/Berlin")', '2026-02-28T23:00:00.000Z']],
      cost: 50,
      run: (time: unknown, unit: unknown, zone?: unknown) => {
        const [of, where] = [unitOf(unit), zoneOf(zone)];
        return shown(instantOf(time)?.setZone(where).startOf(of) ?? null);
      },
    },
  ],
};
