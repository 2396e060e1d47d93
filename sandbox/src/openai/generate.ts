import { isObject, listOf, numberOf, objectOf, type JsonObject } from '../frame/json.ts';
import type { Signals } from './signals.ts';

const NOTHING = Symbol('nothing found');
/** What was found for a field, or NOTHING. */
type Found = unknown;

/** Schemas may refer to themselves; below this depth what may be empty stays empty. */
const DEEPEST = 5;

interface Field {
  depth: number;
  name: string;
  schema: JsonObject;
  root: JsonObject;
  signals: Signals;
}

/** Fills a schema from what the text says; what the text does not say becomes null where the schema allows it. */
export function generated(schema: JsonObject, signals: Signals): unknown {
  return fill({ depth: 0, name: '', schema, root: schema, signals });
}

const typesOf = (schema: JsonObject): unknown[] => [schema['type']].flat();

function fill(field: Field): unknown {
  const leaf = { ...field, depth: field.depth + 1, schema: solid(field.schema, field.root) };
  const found = field.depth > DEEPEST && isNullable(field.schema, field.root) ? NOTHING : find(leaf);
  return found === NOTHING && isNullable(field.schema, field.root) ? null : settle(found, leaf);
}

const isNull = (schema: JsonObject): boolean => schema['type'] === 'null';

/** Goes through references and unions to the first schema that is more than null. */
function solid(given: JsonObject, root: JsonObject): JsonObject {
  const schema = resolved(given, root);
  const choices = listOf(schema['anyOf']).map((choice) => resolved(objectOf(choice), root));
  const chosen = choices.find((choice) => !isNull(choice));
  return chosen === undefined ? schema : solid(chosen, root);
}

function isNullable(given: JsonObject, root: JsonObject): boolean {
  const schema = resolved(given, root);
  if (typesOf(schema).includes('null') || listOf(schema['enum']).includes(null)) return true;
  return listOf(schema['anyOf']).some((choice) => isNullable(objectOf(choice), root));
}

function resolved(schema: JsonObject, root: JsonObject): JsonObject {
  const reference = schema['$ref'];
  if (typeof reference !== 'string') return schema;
  const parts = reference.replace(/^#\/?/, '').split('/').filter(Boolean);
  let part: unknown = root;
  for (const key of parts) part = objectOf(part)[key.replaceAll('~1', '/').replaceAll('~0', '~')];
  return resolved(objectOf(part), root);
}

function find(field: Field): Found {
  const { schema } = field;
  if (schema['const'] !== undefined) return schema['const'];
  if (Array.isArray(schema['enum'])) return findChoice(field, schema['enum']);
  const type = typesOf(schema).find((name) => name !== 'null');
  if (type === 'object' || isObject(schema['properties'])) return findObject(field);
  if (type === 'array') return findList(field);
  if (type === 'number' || type === 'integer') return findNumber(field);
  if (type === 'boolean') return findTruth(field);
  return findText(field);
}

/** What stands in when nothing was found and null is not allowed. */
function settle(found: Found, { schema, signals }: Field): unknown {
  if (found !== NOTHING) return found;
  const type = typesOf(schema).find((name) => name !== 'null');
  if (Array.isArray(schema['enum'])) return schema['enum'].find((value) => value !== null) ?? null;
  if (type === 'number' || type === 'integer') return bounded(0, schema);
  if (type === 'boolean') return false;
  if (type === 'array') return [];
  return formatted(schema, signals) ?? '';
}

function findObject({ depth, schema, root, signals }: Field): JsonObject {
  const properties = Object.entries(objectOf(schema['properties']));
  return Object.fromEntries(
    properties.map(([name, part]) => [
      name,
      fill({ depth, name: name.toLowerCase(), schema: objectOf(part), root, signals }),
    ]),
  );
}

const wordsOf = (name: string): string[] => name.split(/[_\W]+/).filter((word) => word.length > 2);

function bounded(value: number, schema: JsonObject): number {
  const step = numberOf(schema['multipleOf']) ?? (typesOf(schema).includes('integer') ? 1 : undefined);
  const least = numberOf(schema['minimum']) ?? (numberOf(schema['exclusiveMinimum']) ?? -Infinity) + (step ?? 1e-6);
  const most = numberOf(schema['maximum']) ?? (numberOf(schema['exclusiveMaximum']) ?? Infinity) - (step ?? 1e-6);
  const clamped = Math.min(most, Math.max(least, value));
  if (step === undefined) return Number(clamped.toFixed(4));
  const rounded = Math.round(clamped / step) * step;
  return rounded > most ? rounded - step : rounded < least ? rounded + step : rounded;
}

/** Spreads a share from 0 to 1 over the schema's own range, or over the given one. */
function scaled(share: number, schema: JsonObject, low: number, high: number): number {
  const least = numberOf(schema['minimum']) ?? numberOf(schema['exclusiveMinimum']) ?? low;
  const most = numberOf(schema['maximum']) ?? numberOf(schema['exclusiveMaximum']) ?? Math.max(high, least + 1);
  return bounded(Number((least + share * (most - least)).toFixed(2)), schema);
}

function findNumber({ name, schema, signals }: Field): Found {
  if (/sentiment|mood|tone/.test(name)) return scaled((signals.mood + 1) / 2, schema, 0, 1);
  if (/confidence|probability|likelihood/.test(name)) return scaled(0.5 + signals.readiness / 200, schema, 0, 1);
  if (/score|rating|rank|readiness|fit|intent/.test(name)) return scaled(signals.readiness / 100, schema, 0, 100);
  if (/budget|amount|price|cost|spend|revenue|deal|value|money/.test(name))
    return signals.money === undefined ? NOTHING : bounded(signals.money.amount, schema);
  const near = wordsOf(name).map((word) => word.replace(/s$/, ''));
  const sentence = signals.sentences.find((text) => near.some((word) => text.toLowerCase().includes(word)));
  const number = /(?<![\w.$€£])\d+(?:\.\d+)?\b/.exec(sentence ?? '')?.[0];
  return number === undefined ? NOTHING : bounded(Number(number), schema);
}

function findTruth({ name, signals }: Field): Found {
  const words = wordsOf(name).filter((word) => !['has', 'is', 'are', 'was', 'the'].includes(word));
  const text = signals.text.toLowerCase();
  const hit = words.find((word) => text.includes(word));
  if (hit === undefined) return /urgent/.test(name) ? /asap|urgent|immediately/.test(text) : NOTHING;
  return !new RegExp(`\\b(no|not|without|never)\\b[^.]{0,20}${hit}`).test(text);
}

const MOODS: [RegExp, (signals: Signals) => boolean][] = [
  [/^(very_?)?positive$|^good$|^happy$/i, ({ mood }) => mood > 0.15],
  [/^(very_?)?negative$|^bad$|^unhappy$/i, ({ mood }) => mood < -0.15],
  [/^neutral$|^mixed$/i, ({ mood }) => Math.abs(mood) <= 0.15],
  [/^(hot|high|urgent)$/i, ({ readiness }) => readiness >= 70],
  [/^(warm|medium|normal)$/i, ({ readiness }) => readiness >= 40 && readiness < 70],
  [/^(cold|low)$/i, ({ readiness }) => readiness < 40],
];

function findChoice({ signals }: Field, choices: unknown[]): Found {
  const names = choices.filter((choice) => typeof choice === 'string');
  const judged = names.find((choice) => MOODS.some(([pattern, holds]) => pattern.test(choice) && holds(signals)));
  if (judged !== undefined) return judged;
  const text = signals.text.toLowerCase();
  const named = names.find(
    (choice) => text.includes(choice.toLowerCase().replaceAll('_', ' ')) || text.includes(choice.toLowerCase()),
  );
  if (named !== undefined) return named;
  return names.find((choice) => wordsOf(choice.toLowerCase()).some((word) => text.includes(word))) ?? NOTHING;
}

function summary({ sentences, mood, money, times }: Signals, most = 400): string {
  const core = sentences.slice(0, 2).join(' ').slice(0, most) || 'Nothing was said.';
  const feeling = mood > 0.15 ? 'positive' : mood < -0.15 ? 'negative' : 'neutral';
  const extras = [
    `Mood: ${feeling}.`,
    money === undefined ? '' : `Budget: ${money.phrase}.`,
    times.length === 0 ? '' : `When: ${times[0]}.`,
  ];
  return [core.replace(/([^.!?])$/, '$1.'), ...extras].filter(Boolean).join(' ');
}

function findText({ name, schema, signals }: Field): Found {
  const { text, times, money, mood } = signals;
  const shaped = formatted(schema, signals);
  if (shaped !== undefined) return shaped;
  if (/currency/.test(name)) return money?.currency ?? NOTHING;
  if (/summary|overview|description|reason|rationale|explanation|qualification|analysis|note/.test(name))
    return summary(signals);
  if (/timeline|timeframe|deadline|date|when|quarter|month/.test(name))
    return times.length > 0 ? times.join(', ') : NOTHING;
  if (/budget|amount|price|cost|money/.test(name)) return money?.phrase ?? NOTHING;
  if (/sentiment|mood|tone/.test(name)) return mood > 0.15 ? 'positive' : mood < -0.15 ? 'negative' : 'neutral';
  if (/email/.test(name)) return /[\w.+-]+@[\w-]+\.[\w.-]+\w/.exec(text)?.[0] ?? NOTHING;
  if (/next_?step|action|recommend|follow/.test(name))
    return matching('next_steps', signals)[0] ?? 'Follow up by e-mail.';
  const labelled = new RegExp(`\\b${wordsOf(name).join('[ _]?') || '\\0'}"?\\s*[:=]\\s*"?([^"\\n,;.]+)`, 'i').exec(
    text,
  )?.[1];
  return labelled?.trim() || matching(name, signals)[0] || NOTHING;
}

function formatted(schema: JsonObject, { text }: Signals): string | undefined {
  const day = /\b20\d\d-\d\d-\d\d\b/.exec(text)?.[0] ?? '2026-01-01';
  switch (schema['format']) {
    case 'date':
      return day;
    case 'date-time':
      return `${day}T00:00:00Z`;
    case 'time':
      return '00:00:00Z';
    case 'duration':
      return 'P1D';
    case 'email':
      return /[\w.+-]+@[\w-]+\.[\w.-]+\w/.exec(text)?.[0] ?? 'nobody@example.com';
    case 'hostname':
      return 'example.com';
    case 'ipv4':
      return '192.0.2.1';
    case 'ipv6':
      return '2001:db8::1';
    case 'uuid':
      return '00000000-0000-4000-8000-000000000000';
    default:
      return undefined;
  }
}

const THEMES: [RegExp, RegExp][] = [
  [/pain|problem|challenge|issue/, /problem|struggl|issue|challenge|slow|manual|broken|frustrat|difficult/i],
  [/objection|concern|risk|blocker/, /concern|expensive|worried|risk|but |however|not sure|too /i],
  [/competitor|alternative/, /competitor|instead of|versus|compared|alternative/i],
  [/next_?step|action|task|follow/, /follow|schedule|send|call|demo|meet|next step/i],
  [/signal|intent|buying|interest/, /demo|pricing|quote|budget|interested|buy|trial|webinar|asap|urgent/i],
  [/positive|strength|like/, /love|great|happy|impressed|good/i],
  [/budget|money/, /[$€£]\s?\d|budget|\d\s?(usd|eur|gbp)/i],
  [/need|requirement|goal/, /need|want|require|looking for|goal/i],
  [/decision|stakeholder|contact/, /cto|ceo|cfo|director|head of|manager|decid/i],
];

/** Sentences of the text that fit the theme a name speaks of. */
function matching(name: string, { sentences }: Signals): string[] {
  const theme = THEMES.find(([names]) => names.test(name))?.[1];
  const words = wordsOf(name).map((word) => word.replace(/s$/, ''));
  return sentences.filter((sentence) =>
    theme === undefined ? words.some((word) => sentence.toLowerCase().includes(word)) : theme.test(sentence),
  );
}

function findList(field: Field): Found {
  const { name, schema, signals } = field;
  const items = resolved(objectOf(schema['items']), field.root);
  const isText = typesOf(items).includes('string') && items['enum'] === undefined;
  const least = numberOf(schema['minItems']) ?? 0;
  const most = numberOf(schema['maxItems']) ?? 5;
  const hits = /timeline|date|when/.test(name) && isText ? signals.times : matching(name, signals);
  const enough =
    hits.length < least ? [...hits, ...signals.sentences, ...Array<string>(least).fill('')].slice(0, least) : hits;
  const chosen = enough.slice(0, most);
  if (chosen.length === 0 || (field.depth > DEEPEST && least === 0)) return NOTHING;
  if (isText) return chosen;
  const parts = chosen.map((text) =>
    fill({ ...field, schema: items, signals: { ...signals, text, sentences: [text] } }),
  );
  const distinct = [...new Set(parts)];
  return items['enum'] === undefined || distinct.length < least ? parts : distinct;
}
