import type { Publication, RecipeEvent } from '#libs/contracts';
import { asksIn } from './asks';
import { samplesOf } from './cases';
import { schemaChanges } from './difference';
import { loopsOf } from './loops';
import { readRecipe } from './read';
import type { Recipe } from './recipe';
import { elsewhere } from './reference';
import { RecipeSource } from './source';

/** What somebody wants to be live. */
export interface Wish {
  environment: string;
  recipe: string;
  version: string;
  text: string;
  /** The cases beside it: what the versions make of them is told with the publication. */
  cases?: string;
  action: 'published' | 'promoted' | 'rolled-back';
  source?: string;
  by: string;
  why: string;
  ticket?: string;
}

/** A publication as it is to be added to the registry, with its event. */
export type Decided = Omit<Publication, 'at'> & { event: RecipeEvent };

/** Thrown where a publication cannot be: the message says why, and what to do instead. */
export class PublicationRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PublicationRefused';
  }
}

type History = readonly Publication[];

const newest = (history: History, fits: (p: Publication) => boolean = () => true): Publication | undefined =>
  history.filter(fits).reduce<Publication | undefined>((a, b) => (a && a.number > b.number ? a : b), undefined);

const lastLive = (history: History) => newest(history, ({ state }) => state === 'live');

/** What is live of one recipe's publications in an environment; undefined where it never was or was withdrawn. */
export function liveIn(history: History): Publication | undefined {
  const last = lastLive(history);
  return last?.action === 'withdrawn' ? undefined : last;
}

/** The publication that waits for approval; a later one takes its place. */
export function waitingIn(history: History): Publication | undefined {
  const last = newest(history);
  return last?.state === 'awaiting approval' ? last : undefined;
}

/**
 * Decides on a wish by the publications of its recipe in its environment: live at once, or waiting for a second person
 * with the reasons why; undefined where it is live already. Pure.
 */
export function publication(history: History, wish: Wish): (Decided & { reasons: string[] }) | undefined {
  if (liveIn(history)?.version === wish.version) return undefined;
  const waiting = waitingIn(history);
  if (waiting?.version === wish.version)
    throw new PublicationRefused(
      `${wish.recipe} ${wish.version} waits for approval already: a second person approves it with \`refrain recipes approve\``,
    );
  // What was live here once was good enough then: an emergency waits for nobody.
  const reasons = wish.action === 'rolled-back' ? [] : reasonsFor(history, wish);
  const samples = samplesFor(history, wish);
  const next = { ...wish, number: (newest(history)?.number ?? 0) + 1 };
  if (reasons.length > 0) {
    const data = { ...aboutOf(history, wish), source: wish.source, reasons, ...samples };
    return { ...next, state: 'awaiting approval', reasons, event: { type: 'RecipeProposed', data } };
  }
  const about = aboutOf(history, wish);
  const event: RecipeEvent =
    wish.action === 'rolled-back'
      ? { type: 'RecipeRolledBack', data: { ...about, ...samples } }
      : { type: 'RecipePublished', data: { ...about, source: wish.source, ...samples } };
  return { ...next, state: 'live', reasons, event };
}

/** Approves the version that waits, as somebody else than who wanted it. Pure. */
export function approval(history: History, recipe: string, version: string, by: string): Decided {
  const waiting = waitingFor(history, recipe, version);
  if (samePerson(waiting.by, by))
    throw new PublicationRefused(`${waiting.by} wanted ${recipe} ${version}: a second person must approve it`);
  const samples = samplesFor(history, waiting);
  const data = { ...aboutOf(history, waiting), source: waiting.source, approvedBy: by, ...samples };
  const event: RecipeEvent = { type: 'RecipePublished', data };
  return { ...nextOf(waiting), state: 'live', approvedBy: by, event };
}

/** Refuses the version that waits; whoever wanted it may take it back so. Pure. */
export function refusal(history: History, recipe: string, version: string, by: string, why: string): Decided {
  const waiting = waitingFor(history, recipe, version);
  const said = { ...waiting, by, why };
  const event: RecipeEvent = { type: 'RecipeRefused', data: aboutOf(history, said) };
  return { ...nextOf(said), state: 'refused', event };
}

/** Withdraws what is live. Pure. */
export function withdrawal(history: History, recipe: string, said: Pick<Wish, 'by' | 'why' | 'ticket'>): Decided {
  const live = liveIn(history);
  if (!live) throw new PublicationRefused(`${recipe} is not live there; \`refrain recipes ls\` lists what is`);
  const { environment, version, text } = live;
  const gone = { environment, recipe, version, text, ...said };
  const number = (newest(history)?.number ?? 0) + 1;
  const event: RecipeEvent = { type: 'RecipeWithdrawn', data: aboutOf(history, gone) };
  return { ...gone, number, action: 'withdrawn', state: 'live', event };
}

/** The version that a rollback goes to: the one named, or the newest that was live here before. Pure. */
export function rollbackTo(history: History, recipe: string, to: string | undefined): Publication {
  const live = liveIn(history);
  const wanted = newest(history, ({ state, action, version }) =>
    state !== 'live' || action === 'withdrawn' ? false : to === undefined ? version !== live?.version : version === to,
  );
  if (wanted) return wanted;
  const asked = to === undefined ? 'No other version' : `Version ${to}`;
  throw new PublicationRefused(
    `${asked} of ${recipe} was live there; \`refrain recipes history ${recipe}\` lists those that were`,
  );
}

/**
 * Refuses what, together with all that is live in an environment, could set itself off for ever. Texts that are live and
 * cannot be read any more are passed over. Pure.
 */
export function refuseLoops(
  histories: Iterable<History>,
  next: readonly Pick<Wish, 'environment' | 'recipe' | 'text'>[],
) {
  const wanted = next.flatMap(({ text, recipe, environment }) => recipeOf(text, recipe, environment) ?? []);
  const live = [...histories].flatMap((history) => liveIn(history) ?? []);
  const others = live.filter(({ recipe }) => !next.some((one) => one.recipe === recipe));
  const loops = loopsOf(
    [...others.flatMap(({ text, recipe, environment }) => recipeOf(text, recipe, environment) ?? []), ...wanted],
    wanted,
  );
  if (loops.length === 0) return;
  const environment = next[0]?.environment ?? '';
  throw new PublicationRefused(
    `with what is live in ${environment}, ${loops.map(({ says }) => says).join('; ')}; or withdraw another recipe of that way first: ` +
      `\`refrain recipes withdraw <id> --environment ${environment}\`. Nothing was done`,
  );
}

/**
 * Refuses an ask whose content is other than that of its name and version in what was live before, in any environment: an
 * ask that was published does not change. Pure.
 */
export function refuseChangedAsks(
  published: readonly Pick<Publication, 'recipe' | 'version' | 'text'>[],
  next: readonly Pick<Wish, 'recipe' | 'text'>[],
) {
  const withAsks = <T extends { text: string }>(one: T) => ({ ...one, asks: asksIn(one.text) });
  const [were, are] = [published.map(withAsks), next.map(withAsks)];
  for (const { recipe, asks } of are) {
    for (const [name, content] of asks) {
      const differs = (one: { asks: Map<string, string> }) => (one.asks.get(name) ?? content) !== content;
      const before = were.find(differs);
      const beside = are.find(differs);
      if (!before && !beside) continue;
      const as = before ? `was published with ${before.recipe} ${before.version}` : `stands in ${beside?.recipe ?? ''}`;
      throw new PublicationRefused(
        `${recipe} uses ${name}, which ${as} and says something else there: a published ask does not change. Put back what ` +
          `it said, give what it says now the next version (a file of its own), and use that one. Nothing was done`,
      );
    }
  }
}

function waitingFor(history: History, recipe: string, version: string): Publication {
  const waiting = waitingIn(history);
  if (waiting?.version === version) return waiting;
  throw new PublicationRefused(
    waiting
      ? `${recipe} ${version} does not wait for approval, ${waiting.version} does`
      : `${recipe} waits for no approval; \`refrain recipes history ${recipe}\` says what became of it`,
  );
}

// Not only what is live counts, and not only the new text: to take the line away, to roll back behind it or to withdraw
// first is no way round it.
function reasonsFor(history: History, { text, recipe, environment }: Wish): string[] {
  const before = lastLive(history);
  const published = newest(history, ({ state, action }) => state === 'live' && /published|promoted/.test(action));
  const former = [before, published].some((p) => p && approvalsRequired(p.text));
  if (!former && !approvalsRequired(text)) return [];
  const taken = approvalsRequired(text) ? [] : ['no longer says approvals: required'];
  return [
    ...taken,
    ...schemaChanges(before && recipeOf(before.text, recipe, environment), recipeOf(text, recipe, environment)),
  ];
}

function samplesFor(
  history: History,
  { recipe, environment, text, cases }: Pick<Wish, 'recipe' | 'environment' | 'text' | 'cases'>,
) {
  if (cases === undefined) return {};
  const live = liveIn(history);
  const before = live && recipeOf(live.text, recipe, environment);
  return { samples: samplesOf(before, recipeOf(text, recipe, environment), cases) };
}

// Of a text that is no YAML nobody knows: the second person looks.
function approvalsRequired(text: string): boolean {
  const { faults, value } = new RecipeSource(text, '');
  return faults.length > 0 || (value as { approvals?: unknown }).approvals === 'required';
}

// A former text that today's code cannot read counts as none: then all is new.
function recipeOf(text: string, file: string, environment: string): Recipe | undefined {
  const read = readRecipe(text, file, environment, elsewhere);
  return 'recipe' in read ? read.recipe : undefined;
}

const samePerson = (a: string, b: string): boolean => nameOf(a) === nameOf(b);
const nameOf = (name: string): string => name.normalize('NFKC').trim().toLowerCase();

const nextOf = ({ at: _, ...p }: Publication) => ({ ...p, number: p.number + 1 });

const aboutOf = (
  history: History,
  {
    recipe,
    environment,
    version,
    by,
    why,
    ticket,
  }: Pick<Publication, keyof Omit<Wish, 'text' | 'cases' | 'action' | 'source'>>,
) => ({ recipe, environment, version, previous: liveIn(history)?.version, by, why, ticket });
