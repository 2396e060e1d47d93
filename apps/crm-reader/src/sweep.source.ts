import {
  JOURNAL_ASKED,
  type RecordRef,
  readEvent,
  recordOf,
  SHAPE_ASKED,
  shapeAsked,
  type ShapeName,
  shapeStream,
  shapeSubject,
  subjectOf,
  SWEEP_ASKED,
  SWEEP_SERVICE,
  type SweepAsked,
  sweepAsked,
  type SweepEvent,
  sweepEvents,
  sweepLegStream,
  type SweepName,
  sweepOrigin,
  sweepStream,
  sweepSubject,
  foundStream,
  Topic,
  UnreadableEvent,
} from '#libs/contracts';
import {
  type EffectOutcome,
  type ProcessDefinition,
  type ReadableRecord,
  readStreamId,
  type Route,
  type Target,
  UnreadableRecord,
} from '#libs/process';
import { type Recipe, usesOf, watchedBy } from '#libs/recipes';
import { CHANGED } from './found.decider';
import { JOURNAL } from './journal.decider';
import { askedFor, handedOn, journaledIn, type Journals } from './journal.source';
import { type PageAnswer, pageOf } from './leg.decider';
import { lookOf, SHAPE } from './shape.decider';
import { sweepDecider, type SweepInput, type SweepState, type Task } from './sweep.decider';

/** How often sweeps are made, and portals looked at, by themselves, in milliseconds. */
export type Every = Readonly<Record<'reconcile' | 'due' | 'shape', number>>;

/**
 * crm-reader's ways in: what people and the schedule ask for, what the parts of a sweep tell each other by its own topic,
 * pages, files of journals, and
 * the time. A page or a file is told to each of its records too, in the same transaction.
 */
export const sweepProcess = (
  recipes: () => readonly Recipe[],
  tenants: readonly string[],
  every: Every,
  journals: Journals = { apps: [], everyMs: 0 },
): ProcessDefinition<SweepState, SweepEvent, SweepInput> => {
  const rhythmOf = (app: string) => (journals.apps.includes(app) ? { everyMs: journals.everyMs } : {});
  return {
    service: SWEEP_SERVICE,
    catalog: sweepEvents,
    decider: sweepDecider,
    routes: {
      [Topic.sweep]: (record) => {
        switch (record.envelope.type) {
          case SWEEP_ASKED:
            return routeAsked(record, { recipes: recipes(), tenants, every });
          case SHAPE_ASKED:
            return routeShapeAsked(record, every);
          case JOURNAL_ASKED:
            return to(record, [askedFor(record.envelope.subject)]);
          default:
            return routeEvent(record, every);
        }
      },
    },
    outcome({ kind, purpose, state, answer, code }, at, streamId) {
      const ended = state === 'done' ? { answer: answer as never } : { code: code ?? state };
      const { type: object, id } = readStreamId(streamId).record;
      if (kind === SHAPE)
        return { type: 'shape-read', part: id, look: lookOf(purpose), ended, at, everyMs: every.shape };
      if (kind === CHANGED) return { type: 'change-read', object, id, purpose, ended };
      if (kind === JOURNAL) return { type: 'journal-looked', purpose, ended, at, ...rhythmOf(id) };
      const page = pageOf(purpose);
      return page === undefined ? { type: 'counted', ended } : { type: 'page', page, ended };
    },
    alsoTold: (outcome, streamId) => (outcome.kind === JOURNAL ? journaledIn(outcome) : recordsIn(outcome, streamId)),
    timer({ due }, at, streamId) {
      const { context, tenant, record } = readStreamId(streamId);
      if (context === 'journal') return { type: 'journal-time', due, at, ...rhythmOf(record.id) };
      if (context === 'shape') {
        const part = record.id;
        return { type: 'shape-time', part, due, isWanted: isWanted({ tenant, part }, recipes(), tenants) };
      }
      const name = nameIn(streamId);
      const task = tenants.includes(name.tenant) ? taskOf(recipes(), name) : undefined;
      return { type: 'time', due, at: later(at, new Date().toISOString()), task, ...everyOf(every, name) };
    },
  };
};

/** After an outage a timer comes late: what counts is when it came. */
const later = (one: string, other: string): string => (Date.parse(one) > Date.parse(other) ? one : other);

const isWanted = ({ tenant, part }: ShapeName, recipes: readonly Recipe[], tenants: readonly string[]): boolean =>
  tenants.includes(tenant) && partsOf(recipes, tenant).includes(part);

const everyOf = (every: Every, { origin }: Pick<SweepName, 'origin'>) =>
  origin === 'backfill' ? {} : { everyMs: every[origin] };

/** The parts of a tenant's portal that are looked at: those that the recipes of now use, and what stands above them. */
export const partsOf = (recipes: readonly Recipe[], tenant: string): string[] => {
  const used = usesOf(recipes, tenant).properties.map(({ object }) => object);
  return ['types', 'owners', ...new Set([...watchedBy(recipes, tenant).map(({ object }) => object), ...used])];
};

function routeShapeAsked(record: ReadableRecord, every: Every): Route<SweepInput> {
  const { envelope } = record;
  const read = shapeAsked.safeParse(record.value);
  if (!read.success) throw new UnreadableRecord(read.error.message);
  const { part, scheduled: isScheduled = false } = read.data;
  const input: SweepInput = { type: 'shape-asked', part, isScheduled, at: envelope.time, everyMs: every.shape };
  const streamId = shapeStream({ tenant: envelope.tenant, part });
  return to(record, [{ streamId, tenant: envelope.tenant, subject: shapeSubject(part), input }]);
}

/** What a sweep of that name is to read by the recipes of now; undefined where none goes by such records any more. */
function taskOf(recipes: readonly Recipe[], { tenant, object, origin, recipe }: SweepName): Task | undefined {
  const watched = watchedBy(recipes, tenant).find((one) => one.object === object);
  if (!watched) return undefined;
  if (origin !== 'due') return { object, origin, properties: watched.properties };
  const waits = watched.dues.find((due) => due.recipe === recipe);
  if (!waits) return undefined;
  const { date: property, offsetMs } = waits;
  return { object, origin, properties: [property], due: { recipe: waits.recipe, property, offsetMs } };
}

interface Known {
  recipes: readonly Recipe[];
  tenants: readonly string[];
  every: Every;
}

function routeAsked(record: ReadableRecord, { recipes, tenants, every }: Known): Route<SweepInput> {
  const read = sweepAsked.safeParse(record.value);
  if (!read.success) throw new UnreadableRecord(read.error.message);
  const asked: SweepAsked = read.data;
  const { envelope } = record;
  const name = { tenant: envelope.tenant, object: asked.object, origin: asked.origin, recipe: asked.recipe };
  const { by, scheduled = false } = asked;
  const input: SweepInput = {
    type: 'asked',
    task: tenants.includes(envelope.tenant) ? wantedBy(asked, taskOf(recipes, name)) : refused(asked, 'no-such-tenant'),
    isScheduled: scheduled,
    at: envelope.time,
    ...(by === undefined ? {} : { by }),
    ...everyOf(every, asked),
  };
  return to(record, [targetOf(name, sweepStream(name), input)]);
}

function wantedBy(asked: SweepAsked, watched: Task | undefined) {
  const { object, origin, from, batch, properties = watched?.properties } = asked;
  if (!properties) return refused(asked, 'no-recipe');
  return {
    object,
    origin,
    ...watched,
    properties,
    ...(from === undefined ? {} : { from }),
    ...(batch ? { batch } : {}),
  };
}

const refused = ({ object, origin }: SweepAsked, code: string) => ({ object, origin, code });

const wires = sweepEvents.shapes;
const heard = new Set<string>([
  wires.SweepBegan.wire,
  wires.SweepHandedOn.wire,
  wires.SweepRead.wire,
  wires.JournalHandedOn.wire,
]);

function routeEvent(record: ReadableRecord, every: Every): Route<SweepInput> {
  const { envelope } = record;
  if (!heard.has(envelope.type)) return { ignored: true };
  const event = readable(() => readEvent(sweepEvents, envelope.type, record.value));
  if (event.type === 'JournalHandedOn') return to(record, [handedOn(event.data)]);
  const about = recordOf(envelope.subject);
  if (!about) throw new UnreadableRecord(`${envelope.subject} is no sweep`);
  const name = nameOf(envelope.tenant, about);
  switch (event.type) {
    case 'SweepBegan':
      return to(record, [
        targetOf(name, sweepLegStream(name, event.data.sweep, 1), { type: 'begun', began: event.data }),
      ]);
    case 'SweepHandedOn': {
      const { sweep, leg } = event.data;
      return to(record, [targetOf(name, sweepLegStream(name, sweep, leg), { type: 'begun', began: event.data })]);
    }
    case 'SweepRead': {
      const read: SweepInput = { type: 'read', read: event.data, at: envelope.time, ...everyOf(every, name) };
      return to(record, [targetOf(name, sweepStream(name), read)]);
    }
    default:
      return { ignored: true };
  }
}

const to = ({ envelope }: ReadableRecord, targets: Target<SweepInput>[]): Route<SweepInput> => ({
  inbox: { key: envelope.id, day: envelope.time.slice(0, 10) },
  targets,
});

const targetOf = (name: SweepName, streamId: string, input: SweepInput): Target<SweepInput> => ({
  streamId,
  tenant: name.tenant,
  subject: sweepSubject(name),
  input,
});

const nameIn = (streamId: string): SweepName => {
  const { tenant, record } = readStreamId(streamId);
  return nameOf(tenant, record);
};

/** `contact.reconcile`, `deal.due.contract-renewal`. */
function nameOf(tenant: string, { id }: RecordRef): SweepName {
  const [object = '', origin, recipe] = id.split('.');
  return { tenant, object, origin: sweepOrigin.parse(origin), ...(recipe === undefined ? {} : { recipe }) };
}

function recordsIn({ state, purpose, answer }: EffectOutcome, streamId: string): Target<SweepInput>[] {
  if (state !== 'done' || pageOf(purpose) === undefined) return [];
  const { tenant } = readStreamId(streamId);
  const { records, about } = answer as PageAnswer;
  return records.map((record) => {
    const ref = { type: about.object, id: record.id };
    const found = foundStream(tenant, ref);
    return {
      streamId: found,
      tenant,
      subject: subjectOf(ref),
      input: { type: 'found', streamId: found, about, record },
    };
  });
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof UnreadableEvent ? new UnreadableRecord(error.message) : error;
  }
}
