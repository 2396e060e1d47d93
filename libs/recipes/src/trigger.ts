import type { HubspotChange } from '#libs/contracts';
import type { Expression, Json } from '#libs/expressions';
import type { Recipe } from './recipe';
import { rejectionOf, type Rejection, unmetBy } from './step';

/** What set a recipe off. `content` is the same for the same trigger, whichever way it arrived. */
export interface Match {
  recipe: Recipe;
  content: string;
  /** What the steps may read of the event, by name. */
  taken: Record<string, Json>;
  /** The trigger's own expressions could not be told: the recipe does nothing but say so. */
  failed?: Rejection;
}

/** An event of a declared source, about a record. `type` is the sender's own name of what happened, if it gave one. */
export interface SourceEvent {
  source: string;
  type?: string;
  object: string;
  id: string;
  /** RFC 3339. */
  at: string;
  /** Read only where a recipe waits for it. */
  readonly body: unknown;
}

/** A date of a record that a recipe waited for. */
export interface ReachedDate {
  recipe: string;
  object: string;
  id: string;
  property: string;
  value: string;
  /** RFC 3339: when it was due. */
  at: string;
}

/**
 * Our own write coming back: HubSpot names the app that wrote as `sourceId` of an `INTEGRATION` change. The event's own
 * `appId` is the subscriber and says nothing of the writer.
 */
export const isEcho = (change: HubspotChange, writerAppId: string): boolean =>
  change.changeSource === 'INTEGRATION' && change.sourceId === writerAppId;

/** Our own app: one for all tenants, or each tenant's, undefined for as long as it is not known. */
export type WriterApp = string | ((tenant: string) => string | undefined);
/**
 * A value as webhooks write it, whichever way it came: they write a date in milliseconds, where the CRM's API writes RFC
 * 3339. Equal for equal values.
 */
export function asTold(value: string): string {
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?Z)?$/.test(value)) return value;
  const time = Date.parse(value);
  return Number.isNaN(time) ? value : String(time);
}

/** What a change of a property says: the same whichever way it came. */
export const contentOf = (property: string, value: string): string => `${property}=${asTold(value)}`;

/** The recipes that a change of a tenant's record sets off; none for our own echo. */
export function matching(
  recipes: readonly Recipe[],
  change: HubspotChange,
  writer: WriterApp,
  tenant: string,
): Match[] {
  if (isOurs(change, writer, tenant)) return [];
  const { property = '', value = '' } = change;
  const content = change.property === undefined ? change.change : contentOf(property, value);
  return waitingFor(recipes, ofChange(change.record.type, change.change, change.property), tenant).flatMap((recipe) => {
    const { becomes } = recipe.trigger;
    return becomes && !becomes.includes(value) ? [] : metBy(recipe, eventOf(change), () => content);
  });
}

// A guess would lose somebody else's change, or answer our own for ever: until the app is known its changes wait.
export function isOurs(change: HubspotChange, writer: WriterApp, tenant: string): boolean {
  const id = typeof writer === 'string' ? writer : writer(tenant);
  if (id === undefined && change.changeSource === 'INTEGRATION')
    throw new Error(`our own app in the account of ${tenant} is not known: is this change ours?`);
  return id !== undefined && isEcho(change, id);
}

/** The recipes that an event of a source sets off. What they take of it is its content: the rest may differ. */
export function matchingEvent(recipes: readonly Recipe[], event: SourceEvent, tenant: string): Match[] {
  const { source, type = '', object, id, at } = event;
  return waitingFor(recipes, ofSource(source, object), tenant).flatMap((recipe) =>
    recipe.trigger.on && !recipe.trigger.on.includes(type)
      ? []
      : metBy(
          recipe,
          { source, type, object, id, at, body: event.body },
          (taken) => `${type} ${JSON.stringify(taken)}`,
        ),
  );
}

/** The recipe that waited for a date, if it does so still. */
export function matchingDate(recipes: readonly Recipe[], reached: ReachedDate, tenant: string): Match[] {
  const { property, value } = reached;
  return waitingFor(recipes, ofDate(reached.object, property), tenant)
    .filter(({ id }) => id === reached.recipe)
    .flatMap((recipe) => metBy(recipe, { ...reached }, () => `${property}=${asTold(value)}`));
}

/** The recipes that wait for the date which a property of a tenant's record holds. */
export const waitingForDate = (
  recipes: readonly Recipe[],
  object: string,
  property: string,
  tenant: string,
): Recipe[] => waitingFor(recipes, ofDate(object, property), tenant);

function metBy(recipe: Recipe, event: unknown, contentOf: (taken: Match['taken']) => string): Match[] {
  const { when, take } = recipe.trigger;
  const failed = when && unmetBy(when, { event });
  if (failed?.code === 'not-met') return [];
  const read = failed ? { taken: {}, failed } : takenOf(take, event);
  return [{ recipe, content: contentOf(read.taken), ...read }];
}

function takenOf(take: Readonly<Record<string, Expression>>, event: unknown): Pick<Match, 'taken' | 'failed'> {
  try {
    return { taken: Object.fromEntries(Object.entries(take).map(([name, one]) => [name, one.evaluate({ event })])) };
  } catch (error) {
    return { taken: {}, failed: rejectionOf(error) };
  }
}

/** A change as expressions see it. */
const eventOf = ({ record, change, property, value, changeSource, occurredAt }: HubspotChange) => ({
  object: record.type,
  id: record.id,
  change,
  property: property ?? null,
  value: value ?? null,
  source: changeSource ?? null,
  at: occurredAt === undefined ? null : new Date(occurredAt).toISOString(),
});

const waitingFor = (recipes: readonly Recipe[], key: string, tenant: string): Recipe[] =>
  (indexOf(recipes).get(key) ?? []).filter(({ tenants }) => !tenants || tenants.includes(tenant));

// A set of recipes is replaced, never changed: its index is made once.
const indexes = new WeakMap<readonly Recipe[], Map<string, Recipe[]>>();

function indexOf(recipes: readonly Recipe[]): Map<string, Recipe[]> {
  let index = indexes.get(recipes);
  if (!index) {
    index = new Map();
    for (const recipe of recipes) {
      for (const key of keysOf(recipe)) index.set(key, [...(index.get(key) ?? []), recipe]);
    }
    indexes.set(recipes, index);
  }
  return index;
}

function keysOf({ trigger: { object, source, due, on = [], properties } }: Recipe): string[] {
  if (due) return [ofDate(object, due.date)];
  if (source !== undefined) return [ofSource(source, object)];
  // A creation is one, whatever properties are waited for beside it.
  return [
    ...new Set(on.flatMap((change) => (properties ?? ['']).map((property) => ofChange(object, change, property)))),
  ];
}

const ofChange = (object: string, change: string, property = ''): string =>
  ['change', object, change, change === 'propertyChange' ? property : ''].join(' ');
const ofSource = (source: string, object: string): string => ['source', source, object].join(' ');
const ofDate = (object: string, property: string): string => ['date', object, property].join(' ');

/** What a trigger takes of its event, as it stands in the results of a chain. */
export const TRIGGER = 'trigger';
