/** A function of CEL's own that the language keeps, as the reference shows it. */
export interface Builtin {
  signature: string;
  says: string;
  /** The name that runs in its place, where the library's own one is unbounded or reads the machine's clock or zone. */
  runs?: string;
}

/** What of CEL's own functions is there; all others are refused. The library's `matches`, for one, may hang. */
export const builtins: readonly Builtin[] = [
  { signature: 'has(variable.field)', says: 'Whether the field is there and not null.' },
  { signature: 'size(value)', says: 'Characters of a text, elements of a list, fields of a map; also `value.size()`.' },
  { signature: 'value.size()', says: 'The same.' },
  { signature: 'string(value)', says: 'A number or boolean as text.' },
  { signature: 'int(value)', says: 'A whole number, of text or by cutting off decimals.' },
  { signature: 'double(value)', says: 'A number with decimals; fails on other text, where `number` gives null.' },
  { signature: 'bool(value)', says: 'Of `"true"` and `"false"`.' },
  { signature: 'dyn(value)', says: 'The value with its type left open, as `x ? "a" : dyn(null)` needs it.' },
  { signature: 'type(value)', says: 'The type, to compare: `type(x) == string`.' },
  {
    signature: 'timestamp(value)',
    says: 'A time of RFC 3339 text or Unix seconds, to compare and count with.',
    runs: 'exactTimestamp',
  },
  { signature: 'duration(text)', says: 'A duration such as `"90m"` or `"1h30m"`.', runs: 'exactDuration' },
  { signature: 'text.startsWith(text)', says: 'Whether it begins so.' },
  { signature: 'text.endsWith(text)', says: 'Whether it ends so.' },
  { signature: 'text.contains(text)', says: 'Whether it is in there.' },
  {
    signature: 'text.matches(pattern)',
    says: 'Whether a part matches the RE2 pattern, which must be a literal.',
    runs: 'boundedMatches',
  },
  { signature: 'text.lowerAscii()', says: 'In lower case.' },
  { signature: 'text.upperAscii()', says: 'In upper case.' },
  { signature: 'text.trim()', says: 'Without blanks around it.' },
  { signature: 'text.indexOf(text, from?)', says: 'Where it first stands, or -1.' },
  { signature: 'text.lastIndexOf(text, from?)', says: 'Where it last stands, or -1.' },
  { signature: 'text.substring(start, end?)', says: 'A part of it.' },
  { signature: 'text.split(separator, most?)', says: 'Its parts.' },
  { signature: 'list.join(separator?)', says: 'The texts in one.', runs: 'boundedJoin' },
  { signature: 'list.all(x, condition)', says: 'Whether the condition holds for every element, or key of a map.' },
  { signature: 'list.exists(x, condition)', says: 'Whether it holds for one at least.' },
  { signature: 'list.exists_one(x, condition)', says: 'Whether it holds for exactly one.' },
  { signature: 'list.filter(x, condition)', says: 'The elements for which it holds.' },
  {
    signature: 'list.map(x, condition?, value)',
    says: 'A value for each element, or for each for which the condition holds.',
  },
  { signature: 'cel.bind(x, value, expression)', says: 'The expression with a name for the value.' },
];
