import { isDeepStrictEqual } from 'node:util';
import { type Action, type HubspotChange, replacement, type Results, videoOptions } from '#libs/contracts';
import type { Given } from '#libs/expressions';
import { z } from 'zod';
import { prepareAssign } from './assign';
import type { AskStep } from './ask';
import { type PreparedFetch, prepareFetch } from './fetch';
import type { Recipe, Step } from './recipe';
import { type ReferenceTables, tablesWith } from './reference';
import { RecipeSource } from './source';
import { type Rejection, type StepBindings, unmetBy } from './step';
import { type Match, matching, matchingDate, matchingEvent, TRIGGER } from './trigger';
import { prepareVideo } from './video';
import { type PreparedWrite, prepareWrite, type WriteBindings } from './write';

const rejected = z.strictObject({
  rejected: z.enum([
    'missing',
    'placeholder',
    'not-met',
    'expression',
    'path',
    'nobody',
    'no-rota',
    'no-such-stage',
    'unclean',
    'too-long',
    'unsafe-url',
    'unfit',
  ]),
});
const texts = z.record(z.string(), z.string());
const ids = z.array(z.string()).optional();
const actionOutcomes = {
  task: texts.optional(),
  note: z.string().optional(),
  lists: z.strictObject({ add: ids, remove: ids }).optional(),
  consent: texts.optional(),
  sequence: texts.optional(),
  upsert: z
    .strictObject({ object: z.string(), by: z.string(), properties: texts, associate: z.array(texts).optional() })
    .optional(),
  event: z.strictObject({ type: z.string(), properties: texts }).optional(),
};
const outcome = z.union([
  rejected,
  z.strictObject({
    title: z.string().optional(),
    variables: z.record(z.string(), z.string()),
    replacements: z.record(z.string(), replacement).optional(),
    options: videoOptions.optional(),
  }),
  z.strictObject({ asked: z.literal(true) }),
  z.strictObject({ fetched: z.string() }),
  z.strictObject({ rota: z.string(), among: z.array(z.string()) }),
  z.strictObject({
    properties: z.record(z.string(), z.string()).default({}),
    ...actionOutcomes,
  }),
]);

/** What a recipe should do in one case, as its file says it. */
const caseSchema = z.strictObject({
  case: z.string().min(1),
  /** The change; what it does not say is as the trigger waits for it. */
  event: z
    .strictObject({
      object: z.string(),
      change: z.string(),
      property: z.string(),
      value: z.string(),
      source: z.string(),
      type: z.string(),
      body: z.unknown(),
    })
    .partial()
    .default({}),
  /** RFC 3339: when it happened. */
  time: z.iso.datetime().default('2026-01-01T00:00:00.000Z'),
  record: z.record(z.string(), z.string().nullable()).default({}),
  /** Ids of the stages of the record's pipeline, by their names. */
  stages: z.record(z.string(), z.string()).default({}),
  /** What the steps left, by their names. */
  steps: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
  /** Reference tables by name, and their rows by key, in the place of those of the folder. */
  tables: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))).default({}),
  /** What comes of each step, by its name; empty where the change sets off nothing. */
  expect: z.record(z.string(), outcome),
});

const casesSchema = z.array(caseSchema).min(1);
const samplesSchema = z.array(caseSchema.extend({ expect: z.unknown().optional() })).min(1);
type Case = z.infer<typeof caseSchema>;
/** A case without what is expected of it. */
type Situation = Omit<Case, 'expect'>;

/** The published JSON Schema of a file of cases, for editors. */
export const casesJsonSchema = (): Record<string, unknown> => ({
  title: 'Cases of a Refrain recipe',
  ...z.toJSONSchema(casesSchema, { target: 'draft-7', io: 'input' }),
});

function casesIn<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  file: string,
): { source: RecipeSource; cases: z.output<Schema> } | { faults: string[] } {
  const source = new RecipeSource(text, file);
  if (source.faults.length > 0) return { faults: source.faults };
  const parsed = schema.safeParse(source.value);
  if (parsed.success) return { source, cases: parsed.data };
  return { faults: parsed.error.issues.map(({ path, message }) => source.fault(path, message)) };
}

/** What came of one case: `differs` names each step that did something else. */
export interface CaseResult {
  name: string;
  /** Where it stands: file, line and column. */
  at: string;
  differs: Miss[];
}

/** What was expected of a step and what came, either undefined where the step is not come to; `why` of a rejection. */
interface Miss {
  step: string;
  expected?: unknown;
  came?: unknown;
  why?: string;
}

/** The tables that cases give, by name; none where the file cannot be read, which {@link runCases} tells. */
export function tablesInCases(text: string): string[] {
  const parsed = samplesSchema.safeParse(new RecipeSource(text, '').value);
  return parsed.success ? parsed.data.flatMap(({ tables }) => Object.keys(tables)) : [];
}

/**
 * Runs the cases of a recipe; resolves nothing, calls nobody. Tables that a case does not give are those of `tables`.
 * Faults of the file are told with line and column.
 */
export function runCases(
  recipe: Recipe,
  text: string,
  file: string,
  tables?: ReferenceTables,
): { results: CaseResult[] } | { faults: string[] } {
  const parsed = casesIn(casesSchema, text, file);
  if ('faults' in parsed) return parsed;
  const { source } = parsed;
  const results = parsed.cases.map((given, i) => {
    const came = outcomesOf(recipe, given, tablesWith(given.tables, tables));
    const steps = new Set([...Object.keys(given.expect), ...Object.keys(came)]);
    const differs = [...steps].flatMap((step) => {
      const expected = given.expect[step];
      const { why, ...is } = comparable(expected, came[step]);
      return isDeepStrictEqual(expected && { ...expected }, is.came)
        ? []
        : [{ step, expected, ...is, ...(why ? { why } : {}) }];
    });
    return { name: given.case, at: source.placeOf([i, 'case']), differs };
  });
  return { results };
}

/** What two versions of a recipe make of a case: their outcomes by step, null where there is no such version. */
export interface Sample {
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

const MOST_SAMPLES = 5;

/** What two versions make of each of some cases, expected or not. Faults of the file are told with line and column. */
export function compareCases(
  before: Recipe | undefined,
  after: Recipe | undefined,
  text: string,
  file: string,
  tables?: ReferenceTables,
): { samples: Sample[] } | { faults: string[] } {
  const parsed = casesIn(samplesSchema, text, file);
  if ('faults' in parsed) return parsed;
  const samples = parsed.cases.map((given): Sample => {
    const known = tablesWith(given.tables, tables);
    const row = (recipe: Recipe | undefined) => recipe && { case: given.case, ...outcomesOf(recipe, given, known) };
    return { before: row(before) ?? null, after: row(after) ?? null };
  });
  return { samples };
}

/** Whether both versions do the same about a case: one that is not there does nothing. */
export const isSame = ({ before, after }: Sample): boolean => isDeepStrictEqual(stepsIn(before), stepsIn(after));

const stepsIn = (row: Sample['after']): object => ({ ...row, case: undefined });

/** What two versions make of the same cases, five at most, those first in which they differ; none of an unreadable file. */
export function samplesOf(before: Recipe | undefined, after: Recipe | undefined, cases: string): Sample[] {
  const compared = compareCases(before, after, cases, '');
  if ('faults' in compared) return [];
  return compared.samples.sort((a, b) => Number(isSame(a)) - Number(isSame(b))).slice(0, MOST_SAMPLES);
}

/** Of a video its title need not be expected, of a rejection only its code. */
function comparable(expected: Case['expect'][string] | undefined, outcome: Outcome | undefined) {
  if (!outcome) return { came: undefined, why: undefined };
  const { reason: why, ...came } = outcome;
  if (expected && 'variables' in expected && expected.title === undefined) delete came['title'];
  return { came, why };
}

type Outcome = Record<string, unknown> & { reason?: string };

function outcomesOf(recipe: Recipe, given: Situation, tables: ReferenceTables): Record<string, Outcome> {
  const [match] = matchOf(recipe, given);
  if (!match) return {};
  if (match.failed) return { trigger: codeOf(match.failed) };
  const { record, time, stages } = given;
  const steps: Results = { [TRIGGER]: match.taken, ...given.steps };
  // A step whose forerunner left nothing is not come to.
  const due = recipe.steps.filter(({ after }) => after === undefined || steps[after]);
  return Object.fromEntries(
    due.map((step) => [step.name, outcomeOf(step, { record, steps, time, stages }, { tables })]),
  );
}

function outcomeOf(step: Step, { time, stages, ...bindings }: WriteBindings, given: Given): Outcome {
  switch (step.kind) {
    case 'video':
      return shown(prepareVideo(step, bindings, given));
    case 'ask':
      return asked(step, bindings, given);
    case 'fetch':
      return fetched(prepareFetch(step, bindings));
    case 'write':
      return written(prepareWrite(step, { ...bindings, time, ...(stages ? { stages } : {}) }, given));
    case 'assign':
      return shown(prepareAssign(step, bindings, given));
  }
}

function matchOf(recipe: Recipe, given: Situation): Match[] {
  const { trigger, tenants } = recipe;
  const tenant = tenants?.[0] ?? 'default';
  const { event, record, time: at } = given;
  const object = event.object ?? trigger.object;
  const about = { object, id: '1', at };
  if (trigger.due) {
    const { date } = trigger.due;
    const value = event.value ?? record[date] ?? '';
    return matchingDate([recipe], { ...about, recipe: recipe.id, property: event.property ?? date, value }, tenant);
  }
  if (trigger.source === undefined) return matching([recipe], changeOf(recipe, given), '', tenant);
  const { source = trigger.source, type = trigger.on?.[0], body = null } = event;
  return matchingEvent([recipe], { ...about, source, ...(type === undefined ? {} : { type }), body }, tenant);
}

const changeOf = ({ trigger }: Recipe, { event, time }: Situation): HubspotChange => ({
  delivery: 'webhook',
  record: { type: event.object ?? trigger.object, id: '1' },
  change: event.change ?? trigger.on?.[0] ?? '',
  identity: '',
  occurredAt: Date.parse(time),
  property: event.property ?? trigger.properties?.[0],
  value: event.value ?? trigger.becomes?.[0],
  changeSource: event.source ?? 'CRM_UI',
});

function asked(step: AskStep, bindings: StepBindings, given: Given): Outcome {
  const unmet = step.when && unmetBy(step.when, { ...bindings }, given);
  return unmet ? codeOf(unmet) : { asked: true };
}

const fetched = (prepared: PreparedFetch): Outcome =>
  'rejected' in prepared ? codeOf(prepared.rejected) : { fetched: prepared.path };

const shown = (prepared: object | { rejected: Rejection }): Outcome =>
  'rejected' in prepared ? codeOf(prepared.rejected) : { ...prepared };

const written = (prepared: PreparedWrite): Outcome =>
  'rejected' in prepared
    ? codeOf(prepared.rejected)
    : prepared.actions.reduce<Outcome>(withAction, { properties: prepared.properties });

/** Actions as a case names them: as the recipe does. */
function withAction(outcome: Outcome, action: Action): Outcome {
  switch (action.kind) {
    case 'note':
      return { ...outcome, note: action.text };
    case 'list': {
      const lists = outcome['lists'] as Partial<Record<'add' | 'remove', string[]>> | undefined;
      const { change, list } = action;
      return { ...outcome, lists: { ...lists, [change]: [...(lists?.[change] ?? []), list] } };
    }
    case 'sequence': {
      const { sequence: id, sender, user } = action;
      return { ...outcome, sequence: { id, sender, user } };
    }
    case 'event': {
      const { type, properties } = action;
      return { ...outcome, event: { type, properties } };
    }
    case 'task':
    case 'consent':
    case 'upsert': {
      const { kind, ...what } = action;
      return { ...outcome, [kind]: what };
    }
  }
}

const codeOf = ({ code, reason }: Rejection): Outcome => ({ rejected: code, reason });
