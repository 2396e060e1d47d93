import {
  type Catalog,
  crmEvents,
  enrichmentEvents,
  type Envelope,
  type EventOf,
  type FoundProperty,
  GENERIC_RECEIVED,
  HUBSPOT_RECEIVED,
  type HubspotChange,
  readEvent,
  readHubspot,
  recordOf,
  type RecordRef,
  renderEvents,
  type Results,
  sweepEvents,
  UnreadableEvent,
  wiresOf,
} from '#libs/contracts';
import { changerOf } from './changer';
import { type AwaitedDate, awaitedDates } from './date';
import { fatesOfChange, fatesOfEvent, type RecordFate } from './fate';
import { type Elsewhere, isWritten, type Written, writtenTo } from './loop-guard';
import { type Recipe, type Step, type StepDue, type StepKind, stepOf, stepsOf, type Trigger } from './recipe';
import { asTold, isOurs, type Match, matching, matchingDate, matchingEvent, TRIGGER, type WriterApp } from './trigger';

/** A record of the log, as far as recipes need it; its value is read only where one of them may wait for it. */
export interface LogRecord {
  envelope: Envelope;
  /** The sender's own name of what happened, of an event that a declared endpoint took. */
  eventType?: string;
  readonly value: unknown;
  /** SHA-256 of the value's bytes. */
  readonly hash: string;
}

/** What a log record lets begin: its key for the inbox (protocol 3), and the steps that are to be taken. */
export interface StepsDue {
  inbox: { key: string; day: string } | { key: string; received: string };
  due: StepDue[];
  /** Dates that the record says, for which recipes wait. */
  dates: AwaitedDate[];
  /** What became of records. */
  fates: RecordFate[];
  /** What the hub wrote of properties that set off recipes. */
  written: Written[];
  /** Somebody else changed a property that the hub writes. */
  elsewhere?: Elsewhere;
}

/**
 * Reads a record of the log and finds the steps that it lets begin: those right behind a trigger that it sets off, or
 * those behind a step whose end it tells. Pure; the error says why the record cannot be read.
 */
export function stepsDue(
  record: LogRecord,
  recipes: readonly Recipe[],
  writer: WriterApp,
): StepsDue | { error: string } {
  switch (record.envelope.type) {
    case HUBSPOT_RECEIVED:
      return afterChange(record, recipes, writer);
    case GENERIC_RECEIVED:
      return afterEvent(record, recipes);
    case sweepEvents.shapes.RecordFound.wire:
      return afterFound(record, recipes, writer);
    default:
      return afterStep(record, recipes);
  }
}

const nothingDue: Omit<StepsDue, 'inbox'> = { due: [], dates: [], fates: [], written: [] };

/** A workflow call has no time of its own: it counts as of its reception, and its content's hash tells it apart. */
function afterChange(record: LogRecord, recipes: readonly Recipe[], writer: WriterApp) {
  const read = readHubspot(record.value);
  if ('error' in read) return read;
  const { change } = read;
  const { envelope } = record;
  const at = change.occurredAt === undefined ? envelope.time : new Date(change.occurredAt).toISOString();
  const inbox =
    change.delivery === 'webhook'
      ? { key: `${envelope.source}|${change.identity}`, day: at.slice(0, 10) }
      : { key: `${envelope.source}|${record.hash}|${change.identity}`, received: envelope.time };
  if (change.test) return { inbox, ...nothingDue };
  const matches = matching(recipes, change, writer, envelope.tenant);
  const by = changerOf(change);
  const { record: about, property, value = '' } = change;
  const isElsewhere =
    property !== undefined && isWritten(recipes, about.type, property) && !isOurs(change, writer, envelope.tenant);
  return {
    inbox,
    due: matches.flatMap((match) => behind({ ...triggered(match, envelope, about, at), by })),
    dates: awaitedDates(recipes, change, envelope.tenant, { saidAt: at }),
    fates: fatesOfChange(change, at),
    written: [],
    ...(isElsewhere ? { elsewhere: { property, value, by, at } } : {}),
  };
}

/**
 * A found record counts like the last change of each of its properties, at that change's own time: what its webhook has
 * set off already falls into its cool-down. What is older than the sweep looks at sets off nothing, nor do dates that were
 * due before.
 */
function afterFound(record: LogRecord, recipes: readonly Recipe[], writer: WriterApp): StepsDue | { error: string } {
  const { envelope } = record;
  const read = readable(() => readEvent(sweepEvents, envelope.type, record.value));
  if ('error' in read) return read;
  const { read: event } = read;
  if (event.type !== 'RecordFound') return { error: `${envelope.type} is no found record` };
  const found = event.data;
  const { tenant } = envelope;
  const about = { type: found.object, id: found.id };
  const { recipe: only, from } = found;
  const looking = only === undefined ? recipes : recipes.filter(({ id }) => id === only);
  const changes = changesOf(found);
  const told = changes.filter(({ at }) => only === undefined && at !== undefined && isSince(at, from));
  const due = told.flatMap(({ change, at = '' }) =>
    matching(recipes, change, writer, tenant).flatMap((match) =>
      behind({ ...triggered(match, envelope, about, at), by: changerOf(change), found: true }),
    ),
  );
  const notBefore = only === undefined ? { notBefore: from ?? envelope.time } : {};
  const dates = changes.flatMap(({ change, at: saidAt = found.modifiedAt }) =>
    awaitedDates(looking, change, tenant, { saidAt, ...notBefore }),
  );
  return { inbox: { key: envelope.id, day: envelope.time.slice(0, 10) }, ...nothingDue, due, dates };
}

const isSince = (at: string, from: string | undefined): boolean =>
  from === undefined || Date.parse(at) >= Date.parse(from);

/** What a webhook would have said of each property, and of the record's creation. */
function changesOf({ object, id, created, properties }: DataOf<typeof sweepEvents, 'RecordFound'>) {
  const as = (change: Pick<HubspotChange, 'change' | 'property' | 'value'>, said: Omit<FoundProperty, 'value'>) => ({
    at: said.at,
    change: {
      ...change,
      delivery: 'webhook' as const,
      record: { type: object, id },
      identity: '',
      changeSource: said.sourceType,
      sourceId: said.sourceId,
      ...(said.at === undefined ? {} : { occurredAt: Date.parse(said.at) }),
    },
  });
  const said = Object.entries(properties).map(([property, { value, ...last }]) =>
    as({ change: 'propertyChange', property, value: asTold(value) }, last),
  );
  return [as({ change: 'creation' }, created), ...said];
}

function afterEvent(record: LogRecord, recipes: readonly Recipe[]): StepsDue {
  const { envelope, eventType: type } = record;
  const inbox = { key: `${envelope.source}|${envelope.id}`, received: envelope.time };
  const about = recordOf(envelope.subject);
  if (!about) return { inbox, ...nothingDue };
  const [, source = ''] = envelope.source.split('/');
  const event = {
    source,
    ...(type === undefined ? {} : { type }),
    object: about.type,
    id: about.id,
    at: envelope.time,
    get body() {
      return record.value;
    },
  };
  const matches = matchingEvent(recipes, event, envelope.tenant);
  const due = matches.flatMap((match) => behind(triggered(match, envelope, about, envelope.time)));
  return { inbox, ...nothingDue, due };
}

const triggered = (match: Match, envelope: Envelope, record: RecordRef, at: string): Trigger => ({
  recipe: match.recipe,
  tenant: envelope.tenant,
  record,
  content: match.content,
  at,
  rootCause: envelope.correlationid,
  ...(match.failed ? { failed: match.failed } : {}),
  results: Object.keys(match.recipe.trigger.take).length === 0 ? {} : { [TRIGGER]: match.taken },
});

const behind = (trigger: Trigger): StepDue[] =>
  trigger.recipe.steps
    .filter(({ after }) => after === undefined)
    .map((step) => ({ ...trigger, step, time: trigger.at, number: 0 }));

/** The end of a step, as the event of the service that took it tells it. */
interface StepEnd {
  recipe: string;
  step: (recipe: Recipe) => string | undefined;
  result: Record<string, unknown>;
  results?: Results;
  content?: string;
  at: string;
  number: number;
}

function afterStep(record: LogRecord, recipes: readonly Recipe[]): StepsDue | { error: string } {
  const { envelope } = record;
  const inbox = { key: envelope.id, day: envelope.time.slice(0, 10) };
  const told = tellers.get(envelope.type);
  if (!told) return { inbox, ...nothingDue };
  const about = recordOf(envelope.subject);
  if (!about) return { error: `${envelope.subject} is no record` };
  const read = readable(() => told(record.value, { envelope, record: about, recipes }));
  return 'error' in read ? read : { inbox, ...nothingDue, ...read.read };
}

function readable<T>(read: () => T): { read: T } | { error: string } {
  try {
    return { read: read() };
  } catch (error) {
    if (!(error instanceof UnreadableEvent)) throw error;
    return { error: error.message };
  }
}

interface Told {
  envelope: Envelope;
  record: RecordRef;
  recipes: readonly Recipe[];
}

function following(end: StepEnd, { envelope, record, recipes }: Told): StepDue[] {
  const recipe = recipes.find(({ id }) => id === end.recipe);
  const name = recipe && end.step(recipe);
  if (!recipe || name === undefined) return [];
  const { content = '', at, number } = end;
  const chain = {
    recipe,
    tenant: envelope.tenant,
    record,
    content,
    at,
    rootCause: envelope.correlationid,
    results: { ...end.results, [name]: end.result },
    time: envelope.time,
    number,
  };
  return recipe.steps.filter(({ after }) => after === name).map((step) => ({ ...chain, step }));
}

type Teller = (value: unknown, told: Told) => Partial<StepsDue>;
type DataOf<C extends Catalog, Type> = Extract<EventOf<C>, { type: Type }> extends { data: infer Data } ? Data : never;

/** Tells what one type of event lets begin, in all its versions. */
const teller = <C extends Catalog, Type extends keyof C['shapes'] & string>(
  of: C,
  type: Type,
  tell: (data: DataOf<C, Type>, told: Told) => StepDue[],
): [string, Teller][] =>
  wiresOf(of, type).map((wire) => [
    wire,
    (value, told) => ({ due: tell(readEvent(of, wire, value).data as DataOf<C, Type>, told) }),
  ]);

/** Tells what an event says of the fate of records. */
const fateTeller = (type: keyof typeof crmEvents.shapes): [string, Teller][] =>
  wiresOf(crmEvents, type).map((wire) => [
    wire,
    (value, { record }) => ({ fates: fatesOfEvent(readEvent(crmEvents, wire, value), record) }),
  ]);

const tellers = new Map<string, Teller>([
  ...teller(renderEvents, 'RenderCompleted', ({ url, videoId, render, triggeredAt: at, ...end }, told) => {
    const step = (known: Recipe) => stepOf(known, 'video')?.name;
    return following({ ...end, step, result: { url, video_id: videoId }, at, number: render }, told);
  }),
  ...teller(
    enrichmentEvents,
    'EnrichmentCompleted',
    ({ answer: result, enrichment, triggeredAt: at, ...end }, told) => {
      const step = (known: Recipe) => stepOf(known, 'ask')?.name;
      return following({ ...end, step, result, at, number: enrichment }, told);
    },
  ),
  ...teller(enrichmentEvents, 'FetchCompleted', ({ step, fields: result, fetch, triggeredAt: at, ...end }, told) =>
    following({ ...end, step: () => step, result, at, number: fetch }, told),
  ),
  ...teller(crmEvents, 'OwnerAssigned', ({ owner, rota, guard, step: name, ...end }, told) => {
    const step = (known: Recipe) => stepsOf(known, 'assign').find((assign) => assign.name === name)?.name;
    return following({ ...end, step, result: { owner, rota }, at: guard.at, number: guard.number }, told);
  }),
  ...teller(crmEvents, 'RecordDateReached', ({ dueAt: at, ...date }, told) => {
    const { envelope, record, recipes } = told;
    const reached = { ...date, object: record.type, id: record.id, at };
    return matchingDate(recipes, reached, envelope.tenant).flatMap((match) =>
      behind(triggered(match, envelope, record, at)),
    );
  }),
  ...wiresOf(crmEvents, 'RecordUpdated').map((wire): [string, Teller] => [
    wire,
    (value, { record, envelope: { tenant, time }, recipes }) => {
      const { data } = readEvent(crmEvents, wire, value) as Extract<
        EventOf<typeof crmEvents>,
        { type: 'RecordUpdated' }
      >;
      const { properties, writtenAt: at = time } = data;
      return { written: writtenTo(recipes, { record, tenant, properties, at }) };
    },
  ]),
  ...fateTeller('RecordMerged'),
  ...fateTeller('RecordDeleted'),
  ...fateTeller('RecordRestored'),
  ...fateTeller('RecordErasureAsked'),
  ...wiresOf(sweepEvents, 'RecordFateFound').map((wire): [string, Teller] => [
    wire,
    (value, { record }) => {
      const event = readEvent(sweepEvents, wire, value);
      return event.type === 'RecordFateFound'
        ? { fates: [{ record, fate: { what: event.data.what, at: event.data.at } }] }
        : {};
    },
  ]),
]);

/** Of these steps, those of the kinds that a service takes. */
export const ofKind = <Kind extends Step['kind']>(
  due: readonly StepDue[],
  kind: Kind,
): StepDue<Extract<Step, { kind: Kind }>>[] =>
  due.filter((one): one is StepDue<Extract<Step, { kind: Kind }>> => one.step.kind === kind);

/** The recipes for a tenant's records of a type that have steps of these kinds. */
export const recipesWith = (
  recipes: readonly Recipe[],
  kinds: readonly StepKind[],
  { tenant, type }: { tenant: string; type: string },
): Recipe[] =>
  recipes.filter(
    ({ trigger, tenants, steps }) =>
      trigger.object === type &&
      (!tenants || tenants.includes(tenant)) &&
      steps.some(({ kind }) => kinds.includes(kind)),
  );
