import {
  type CrmEvent,
  crmEvents,
  type Guard,
  isOf,
  isOfRender,
  readEvent,
  recordOf,
  type RecordRef,
  type RenderEvent,
  renderEvents,
  subjectOf,
  Topic,
  UnreadableEvent,
} from '#libs/contracts';
import {
  type EffectOutcome,
  type ProcessDefinition,
  type ReadableRecord,
  readStreamId,
  type Route,
  streamIdOf,
  type Target,
  UnreadableRecord,
} from '#libs/process';
import {
  ofKind,
  type Recipe,
  type RecordFate,
  type Reference,
  stepsDue,
  WITHDRAW,
  withTexts,
  type WriterApp,
} from '#libs/recipes';
import type { Made, ReadRecord } from '#libs/vendors/hubspot';
import { type ActionEnd, isCallOfAction } from './action.decider';
import { assignDue, assignIn } from './assign.decider';
import { recipeOfTimer } from './date.decider';
import { recordDecider, type RecordInput } from './record.decider';
import type { RecordState } from './record-state';
import { rotaOf } from './rota.decider';
import { type StepDue, stepIn, type Wanted, type WriteDue } from './step.decider';
import type { Ended } from './writes';

const service = 'crm-writer';

/**
 * crm-writer's ways in: what lets a recipe's write steps begin, what render-service says of videos, and effects' ends.
 */
export const recordProcess = (
  recipes: () => readonly Recipe[],
  writer: WriterApp,
  environment?: string,
  reference?: Reference,
): ProcessDefinition<RecordState, CrmEvent, RecordInput> => ({
  service,
  catalog: crmEvents,
  decider: recordDecider,
  provenance: ['recipeVersion', 'known', 'writtenAt', 'before'],
  declared(texts) {
    const declared = withTexts(recipes(), texts, environment, reference);
    return recordProcess(() => declared, writer, environment, reference);
  },
  routes: Object.fromEntries(
    [Topic.ingressHubspot, Topic.ingressGeneric, Topic.render, Topic.enrichment, Topic.crm, Topic.sweep].map(
      (topic) => [topic, (record: ReadableRecord) => routeOf(record, recipes(), writer)],
    ),
  ),
  outcome({ kind, purpose, rootCause, ...end }, at, streamId) {
    if (isCallOfAction(kind)) return { type: 'action-ended', purpose, rootCause, ended: actionEndOf(end) };
    const { record } = readStreamId(streamId);
    const write = writeIn(purpose);
    if (kind === 'hubspot.update') return { type: 'written', record, write, at, ended: endOf(end) };
    if (kind !== 'hubspot.read') throw new Error(`${service} owes no ${kind}`);
    const { properties, stages } = (end.state === 'done' ? end.answer : {}) as Partial<ReadRecord>;
    const assign = assignIn(purpose);
    if (assign) {
      const recipe = recipes().find(({ id }) => id === assign.recipe);
      return { type: 'assign-read', record, purpose, read: { name: assign, recipe, rootCause, properties } };
    }
    const name = stepIn(purpose);
    if (!name) return { type: 'read', record, write, properties };
    const recipe = recipes().find(({ id }) => id === name.recipe);
    return { type: 'step-read', record, purpose, read: { name, recipe, rootCause, properties, stages, at } };
  },
  timer({ name, due }, _at, streamId) {
    if (name === WITHDRAW) return { type: 'withdraw' };
    const recipe = recipeOfTimer(name);
    if (recipe === undefined) return { type: 'read-due', record: readStreamId(streamId).record, write: writeIn(name) };
    const known = recipes().find(({ id }) => id === recipe)?.trigger.due;
    return { type: 'date-due', date: { recipe, due, ...(known ? { offsetMs: known.offsetMs } : {}) } };
  },
  // A look, and the write of what it finds undone.
  timerFollows: () => ({ apiCalls: 2 }),
});

// `write-3`, `read-back-3`: both name the write that they are about.
const writeIn = (name: string): number => Number(name.split('-').at(-1));

type End = Omit<EffectOutcome, 'kind' | 'purpose' | 'rootCause'>;

function endOf({ state, code, owedAt, repeats = 0 }: End): Ended {
  const unsure = repeats > 0 ? { unsure: true as const } : {};
  switch (state) {
    case 'done':
      return { state, ...unsure };
    case 'late':
    case 'erased':
      return { state };
    case 'superseded':
      return { state, owedAt, ...unsure };
    case 'held':
      return { state, code: code ?? state, ...unsure };
    default:
      return { state: 'dead', code: code ?? state, ...unsure };
  }
}

function actionEndOf({ state, code, answer }: End): ActionEnd {
  switch (state) {
    case 'done': {
      // Where a person has said that a held one was done, nobody knows what was made.
      const { id } = (answer ?? {}) as Partial<Made>;
      return { state, ...(id === undefined ? {} : { id }) };
    }
    case 'held':
    case 'late':
    case 'erased':
      return { state };
    case 'superseded':
      return { state: 'withdrawn' };
    default:
      return { state: 'dead', code: code ?? state };
  }
}

/**
 * A record wants something of a CRM record by itself, and by the steps that it lets begin; a wanted owner is for the rota to
 * give, and a turn that was taken for the record to know.
 */
function routeOf(read: ReadableRecord, recipes: readonly Recipe[], writer: WriterApp): Route<RecordInput> {
  const passed = turnOf(read) ?? handedOnOf(read, recipes);
  if (passed) return passed;
  const found = stepsDue(read, recipes, writer);
  if ('error' in found) throw new UnreadableRecord(found.error);
  const { envelope } = read;
  const steps = ofKind(found.due, 'write').map(writeDue);
  const assigns = ofKind(found.due, 'assign').map((due) => assignDue(due, COMPLETED));
  const wish = isOf(renderEvents, envelope.type)
    ? readable(() => wishOf(readEvent(renderEvents, envelope.type, read.value)))
    : undefined;
  const wishes = wish ? [{ ...wish, because: envelope.type }] : [];
  const [first] = found.due;
  const record = first?.record ?? recordOf(envelope.subject);
  const { dates, fates, elsewhere } = found;
  const isTold = record && (elsewhere || wishes.length + steps.length + assigns.length + dates.length > 0);
  const told = isTold
    ? [targetOf(envelope.tenant, record, { type: 'told', record, wishes, steps, assigns, dates, elsewhere })]
    : [];
  const targets = [...told, ...fates.flatMap((one) => ofFate(one, envelope))];
  return targets.length === 0 ? { ignored: true } : { inbox: found.inbox, targets };
}

/** What became of a record is told to it, and by the event of its merge to the record that it goes on as. */
function ofFate({ record, fate }: RecordFate, { tenant, type }: ReadableRecord['envelope']): Target<RecordInput>[] {
  const told = targetOf(tenant, record, { type: 'followed', record, fate });
  return fate.into && type === MERGED
    ? [told, targetOf(tenant, fate.into, { type: 'took-over', records: [record] })]
    : [told];
}

const MERGED = crmEvents.shapes.RecordMerged.wire;
const HANDED_ON = crmEvents.shapes.RecordHandedOn.wire;

/** What was wanted of a record that was merged, on its way to the one that it goes on as. */
function handedOnOf(read: ReadableRecord, recipes: readonly Recipe[]): Route<RecordInput> | undefined {
  const { envelope } = read;
  if (envelope.type !== HANDED_ON) return undefined;
  const event = readable(() => readEvent(crmEvents, envelope.type, read.value));
  if (event.type !== 'RecordHandedOn') return undefined;
  const { into: record, wishes, dates } = event.data;
  const inherited = dates.flatMap((date) => {
    const due = recipes.find(({ id }) => id === date.recipe)?.trigger.due;
    return due ? { ...date, offsetMs: due.offsetMs } : [];
  });
  const told = targetOf(envelope.tenant, record, { type: 'told', record, wishes, steps: [], inherited });
  return { inbox: { key: envelope.id, day: envelope.time.slice(0, 10) }, targets: [told] };
}

const writeDue = ({ at, number, ...due }: WriteDue): StepDue => ({ ...due, guard: { at, number, rank: COMPLETED } });

const targetOf = (
  tenant: string,
  record: RecordRef,
  input: RecordInput,
  context: 'record' | 'rota' = 'record',
): Target<RecordInput> => ({
  streamId: streamIdOf({ context, tenant, record, name: '' }),
  tenant,
  subject: subjectOf(record),
  input,
});

/** The way of a turn: from the record that wants it to its rota, and back. */
function turnOf(read: ReadableRecord): Route<RecordInput> | undefined {
  const { envelope } = read;
  if (envelope.type !== OWNER_WANTED && envelope.type !== TURN_TAKEN) return undefined;
  const { tenant } = envelope;
  const event = readable(() => readEvent(crmEvents, envelope.type, read.value));
  const inbox = { key: envelope.id, day: envelope.time.slice(0, 10) };
  const to = (target: Target<RecordInput>) => ({ inbox, targets: [target] });
  if (event.type === 'TurnTaken')
    return to(targetOf(tenant, event.data.record, { type: 'turn-taken', turn: event.data }));
  const record = (event.type === 'OwnerWanted' ? event.data.record : undefined) ?? recordOf(envelope.subject);
  if (event.type !== 'OwnerWanted' || !record) throw new UnreadableRecord(`${envelope.subject} is no record`);
  const { guard, ...data } = event.data;
  const wanted = { ...data, record, month: guard.at.slice(0, 7) };
  return to(targetOf(tenant, rotaOf(data.rota, guard.at), { type: 'turn-wanted', wanted }, 'rota'));
}

const OWNER_WANTED = crmEvents.shapes.OwnerWanted.wire;
const TURN_TAKEN = crmEvents.shapes.TurnTaken.wire;

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof UnreadableEvent ? new UnreadableRecord(error.message) : error;
  }
}

// Ranks of a render's states: a late PENDING never overwrites an end, and a video that came after all overrules FAILED.
const PENDING = 0;
const PROCESSING = 1;
const FAILED = 2;
const COMPLETED = 3;

/** What the end of a render, or its beginning, wants the record to say, whatever the recipe goes on with. */
function wishOf(event: RenderEvent): Omit<Wanted, 'because'> | undefined {
  if (!isOfRender(event)) return undefined;
  const { triggeredAt: at, render: number, recipe, recipeVersion } = event.data;
  const guard = (rank: number): Guard => ({ at, number, rank });
  const by = { recipe, recipeVersion };
  switch (event.type) {
    // Also while the order waits: for credit, for one of HeyGen's jobs.
    case 'RenderPrepared':
      return { properties: { heygen_render_status: 'PENDING' }, guard: guard(PENDING), ...by };
    case 'RenderSubmitted': {
      const { videoId } = event.data;
      const job: Record<string, string> = videoId === undefined ? {} : { heygen_job_id: videoId };
      return { properties: { heygen_render_status: 'PENDING', ...job }, guard: guard(PENDING), ...by };
    }
    case 'RenderStarted':
      return { properties: { heygen_render_status: 'PROCESSING' }, guard: guard(PROCESSING), ...by };
    case 'RenderCompleted': {
      const { url, videoId } = event.data;
      const video = { heygen_video_url: url, heygen_job_id: videoId };
      const done = { ...video, heygen_render_status: 'COMPLETED', heygen_render_error: '' };
      return { properties: done, guard: guard(COMPLETED), ...by };
    }
    case 'RenderFailed': {
      const failed = { heygen_render_status: 'FAILED', heygen_render_error: event.data.code };
      return { properties: failed, guard: guard(FAILED), ...by };
    }
    default:
      return undefined;
  }
}
