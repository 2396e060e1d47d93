import type { EnrichmentEvent, FetchEvent, RecordRef, Results } from '#libs/contracts';
import { type Decision, nothing, type Owed } from '#libs/process';
import {
  askedNow,
  coolsDown,
  depthOf,
  type FetchStep,
  goesOnAs,
  GONE,
  handedOn,
  isGone,
  isSameChange,
  type Known,
  labelOf,
  LOOP,
  prepareFetch,
  type Properties,
  purposeNow,
  purposeOf,
  type Recipe,
  ruleOn,
  type StepDue,
  stepsOf,
  takeOf,
  type Whereabouts,
} from '#libs/recipes';
import { cutBy } from './enrichment.decider';

/** One fetch by a step, from the first request on. */
interface Fetch {
  recipe: string;
  recipeVersion: string;
  step: string;
  system: string;
  fetch: number;
  triggeredAt: string;
  rootCause: string;
  content: string;
  /** What the steps before it left. */
  results?: Results;
  status: 'requested' | 'completed' | 'rejected';
}

/** All fetches about one record by one recipe, in order. */
export type Fetches = readonly Fetch[];

/** A fetch that is to be made, and what it follows. */
export type FetchDue = StepDue<FetchStep>;

/** How a call ended, as the ledger tells it. `withdrawn`: somebody wanted it no longer, so it is not asked again. */
export type FetchEnd<T> =
  { state: 'done'; answer: T } | { state: 'open' } | { state: 'dead' | 'withdrawn'; code: string };

interface Answer {
  status: number;
  body: unknown;
}

/** The step of a fetch, and the recipe as it is now. */
interface Named {
  step: string;
  rootCause: string;
  recipe: Recipe | undefined;
}

export type FetchInput =
  | { type: 'fetch-due'; due: FetchDue; declared: boolean }
  | ({
      type: 'fetch-read';
      alone: boolean;
      purpose: string;
      declared: (system: string) => boolean;
      ended: FetchEnd<{ properties: Properties }>;
    } & Named)
  | ({
      type: 'fetched';
      at: string;
      system: string;
      /** The call was this trigger's own: it shared nobody's answer. */
      alone: boolean;
      record: RecordRef;
      ended: FetchEnd<Answer>;
    } & Named);

export const isOfFetchInput = (input: { type: string }): input is FetchInput => input.type.startsWith('fetch');

const KIND = 'http.fetch.';
const ALONE = 'alone';

/** The kind of effect that asks a system. */
export const fetchKind = (system: string): string => KIND + system;
export const FETCH_KINDS = KIND;

/** The request of a fetch; answers are shared where `kept` says for how long and since when. */
export interface SystemRequest {
  path: string;
  kept?: { forMs: number; since: string };
}

const purposeFor = (step: string, alone: boolean): string => `fetch/${step}${alone ? `/${ALONE}` : ''}`;

/** The step that a call is for; undefined where it is for none. */
export function fetchIn(purpose: string): { step: string; alone: boolean } | undefined {
  const [word, step, how] = purposeOf(purpose).split('/');
  return word === 'fetch' && step !== undefined ? { step, alone: how === ALONE } : undefined;
}

export function evolveFetches(fetches: Fetches, { type, data }: FetchEvent): Fetches {
  if (type === 'FetchRequested') return [...fetches, { ...data, status: 'requested' }];
  const status = type === 'FetchCompleted' ? 'completed' : 'rejected';
  return fetches.map((one) => (one.step === data.step && one.fetch === data.fetch ? { ...one, status } : one));
}

/**
 * One root cause, one fetch of each step; another one asks again unless the same content asked within the cool-down
 * (protocol 7). A repeat states the same calls once more, and the ledger knows their answers.
 */
export function decideFetch(fetches: Fetches, known: Known, input: FetchInput): Decision<EnrichmentEvent> {
  const { where } = known;
  switch (input.type) {
    case 'fetch-due':
      return onDue(fetches, known, input);
    case 'fetch-read':
      return onRead(fetches, where, input);
    case 'fetched':
      return onFetched(fetches, where, input);
  }
}

/** The calls of fetches that may still wait. */
export const waitingFetches = (fetches: Fetches, where: Whereabouts): { kind: string; purpose: string }[] =>
  fetches
    .filter(({ status }) => status === 'requested')
    .flatMap(({ step, system }) =>
      [purposeFor(step, false), purposeFor(step, true)].flatMap((purpose) => [
        { kind: fetchKind(system), purpose },
        ...[...new Set([purpose, purposeNow(purpose, where)])].map((one) => ({ kind: 'hubspot.read', purpose: one })),
      ]),
    );

function onDue(
  fetches: Fetches,
  { where, triggers }: Known,
  { due, declared }: FetchInput & { type: 'fetch-due' },
): Decision<EnrichmentEvent> {
  const { recipe, step, record, rootCause, content, at, failed, results } = due;
  const known = find(fetches, step.name, rootCause);
  const ofStep = fetches.filter((one) => one.step === step.name);
  if (!known && ofStep.some((fetch) => repeats(fetch, due))) return nothing();
  const ruling = ruleOn(triggers, due);
  if (!known && ruling.let === 'echo') return nothing();
  const data = {
    recipe: recipe.id,
    recipeVersion: recipe.version,
    step: step.name,
    fetch: ofStep.length + 1,
    triggeredAt: at,
    system: step.system,
    rootCause,
    content,
    ...handedOn(results),
    ...(ruling.let === 'echo' ? {} : depthOf(ruling)),
  };
  const events: EnrichmentEvent[] = known ? [] : [...cutBy(ruling, due), { type: 'FetchRequested', data }];
  const fetch: Fetch = known ?? { ...data, status: 'requested' };
  const cut = !known && ruling.let === 'cut' ? LOOP : undefined;
  const refused = cut ?? failed ?? (isGone(where, at) ? GONE : undefined);
  if (refused) return known ? nothing() : also(events, reject(fetch, refused.code, refused.reason));
  return also(events, begin(fetch, step, { record, where, declared, alone: false }));
}

/** The record is read first where the question needs something of it. */
function begin(
  fetch: Fetch,
  step: FetchStep,
  { record, where, declared, alone }: { record: RecordRef; where: Whereabouts; declared: boolean; alone: boolean },
): Decision<FetchEvent> {
  if (step.reads.length === 0) return ask(fetch, step, { record: {}, declared, alone });
  const request = { record: goesOnAs(record, where), properties: step.reads, notes: 0 };
  const purpose = purposeNow(purposeFor(step.name, alone), where);
  return { events: [], effects: [{ kind: 'hubspot.read', purpose, request, recipes: recipesOf(fetch) }] };
}

function onRead(
  fetches: Fetches,
  where: Whereabouts,
  input: FetchInput & { type: 'fetch-read' },
): Decision<FetchEvent> {
  const { recipe, ended, declared, alone } = input;
  const fetch = find(fetches, input.step, input.rootCause);
  if (!fetch || ended.state === 'open') return nothing();
  if (isGone(where)) return reject(fetch, GONE.code, GONE.reason);
  const step = stepIn(recipe, input.step);
  if (ended.state !== 'done') {
    const now = fetch.status === 'requested' && askedNow(input.purpose, where);
    return step && now
      ? begin(fetch, step, { record: now, where, declared: declared(step.system), alone })
      : reject(fetch, ended.code, 'the record could not be read');
  }
  if (!step) return stepGone(fetch);
  return ask(fetch, step, { record: ended.answer.properties, declared: declared(step.system), alone });
}

function ask(
  fetch: Fetch,
  step: FetchStep,
  { record, declared, alone }: { record: Properties; declared: boolean; alone: boolean },
): Decision<FetchEvent> {
  const prepared = prepareFetch(step, { record, steps: fetch.results ?? {} });
  if ('rejected' in prepared) return reject(fetch, prepared.rejected.code, prepared.rejected.reason);
  if (!declared) return reject(fetch, 'no-system', `no system ${step.system} is declared`);
  return { events: [], effects: [call(fetch, step, prepared.path, alone)] };
}

// The bucket is of the trigger's own time: a replay asks the very same.
function call(fetch: Fetch, step: FetchStep, path: string, alone: boolean): Owed {
  const { triggeredAt } = fetch;
  const keepMs = alone ? undefined : step.keepMs;
  const since = keepMs && new Date(Math.floor(Date.parse(triggeredAt) / keepMs) * keepMs).toISOString();
  const request: SystemRequest = { path, ...(since ? { kept: { forMs: keepMs, since } } : {}) };
  return { kind: fetchKind(step.system), purpose: purposeFor(step.name, alone), request, recipes: recipesOf(fetch) };
}

/**
 * What was taken once stays; a rejected fetch may still be answered, after a fix. What is kept are answers: where the
 * call that others share has failed, perhaps long before, this trigger asks once by itself.
 */
function onFetched(
  fetches: Fetches,
  where: Whereabouts,
  input: FetchInput & { type: 'fetched' },
): Decision<FetchEvent> {
  const { recipe, system, ended, alone, record } = input;
  const fetch = find(fetches, input.step, input.rootCause);
  if (!fetch || fetch.status === 'completed' || ended.state === 'open') return nothing();
  if (where.forgotten || (isGone(where) && ended.state !== 'done')) return reject(fetch, GONE.code, GONE.reason);
  const step = stepIn(recipe, input.step);
  if (!step || step.system !== system) return stepGone(fetch);
  if (ended.state !== 'done') {
    return step.keepMs === undefined || alone || ended.state === 'withdrawn'
      ? reject(fetch, ended.code, `${system} gave no answer`)
      : begin(fetch, step, { record, where, declared: true, alone: true });
  }
  const taken = takeOf(step, ended.answer);
  if ('rejected' in taken) return reject(fetch, taken.rejected.code, taken.rejected.reason);
  const { content, results } = fetch;
  const { status } = ended.answer;
  const data = { ...aboutOf(fetch), system, status, fields: taken.fields, content, ...(results ? { results } : {}) };
  return { events: [{ type: 'FetchCompleted', data }] };
}

const recipesOf = ({ recipe: id, recipeVersion: version }: Fetch): string[] => [labelOf({ id, version })];

const find = (fetches: Fetches, step: string, rootCause: string): Fetch | undefined =>
  fetches.find((one) => one.step === step && one.rootCause === rootCause);

const stepIn = (recipe: Recipe | undefined, name: string): FetchStep | undefined =>
  recipe && stepsOf(recipe, 'fetch').find((step) => step.name === name);

function repeats({ content, triggeredAt: at, status }: Fetch, due: FetchDue): boolean {
  const said = { content, at };
  return isSameChange(said, due) || (status !== 'rejected' && coolsDown(said, due, due.recipe.coolDownMs));
}

const also = (events: EnrichmentEvent[], decision: Decision<FetchEvent>): Decision<EnrichmentEvent> => ({
  ...decision,
  events: [...events, ...decision.events],
});

const stepGone = (fetch: Fetch): Decision<FetchEvent> =>
  reject(fetch, 'recipe-gone', `recipe ${fetch.recipe} has no such step ${fetch.step} any more`);

// A second rejection says nothing new.
const reject = (fetch: Fetch, code: string, reason: string): Decision<FetchEvent> =>
  fetch.status === 'requested'
    ? { events: [{ type: 'FetchRejected', data: { ...aboutOf(fetch), code, reason } }] }
    : nothing();

const aboutOf = ({ recipe, recipeVersion, step, fetch, triggeredAt }: Fetch) => ({
  recipe,
  recipeVersion,
  step,
  fetch,
  triggeredAt,
});
