import {
  type CrmEvent,
  crmEvents,
  type EnrichmentEvent,
  enrichmentEvents,
  type Envelope,
  type Guard,
  readEvent,
  recordOf,
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
import { hubspotTriggers, type Recipe, withTexts } from '#libs/recipes';
import type { CreatedTask, ReadRecord } from '#libs/vendors/hubspot';
import { type Ended, recordDecider, type RecordInput, type RecordState } from './record.decider';
import { type StepDue, stepIn } from './step.decider';
import { CREATE_TASK, type TaskEnd } from './task.decider';

const service = 'crm-writer';

/**
 * crm-writer's ways in: what render-service and enrichment-service decided, HubSpot changes that set off a recipe's write
 * steps, and effects' ends.
 */
export const recordProcess = (
  recipes: () => readonly Recipe[],
  writerAppId: string,
): ProcessDefinition<RecordState, CrmEvent, RecordInput> => ({
  service,
  catalog: crmEvents,
  decider: recordDecider,
  provenance: ['recipeVersion'],
  declared(texts) {
    const declared = withTexts(recipes(), texts);
    return recordProcess(() => declared, writerAppId);
  },
  routes: {
    [Topic.render]: (record) =>
      routeEvent(record, recipes(), (type, data) => toldByRender(readEvent(renderEvents, type, data))),
    [Topic.enrichment]: (record) =>
      routeEvent(record, recipes(), (type, data) => toldByEnrichment(readEvent(enrichmentEvents, type, data))),
    [Topic.ingressHubspot]: (record) => routeChange(record, recipes(), writerAppId),
  },
  outcome({ kind, purpose, rootCause, ...end }, at, streamId) {
    if (kind === CREATE_TASK) return { type: 'task-ended', purpose, rootCause, ended: taskEndOf(end) };
    const { record } = readStreamId(streamId);
    const write = writeIn(purpose);
    if (kind === 'hubspot.update') return { type: 'written', record, write, at, ended: endOf(end) };
    if (kind !== 'hubspot.read') throw new Error(`${service} owes no ${kind}`);
    const { properties } = (end.state === 'done' ? end.answer : {}) as Partial<ReadRecord>;
    const name = stepIn(purpose);
    if (!name) return { type: 'read', record, write, properties };
    const recipe = recipes().find(({ id }) => id === name.recipe);
    return { type: 'step-read', record, read: { name, recipe, rootCause, properties } };
  },
  timer: ({ name }, _at, streamId) => ({
    type: 'read-due',
    record: readStreamId(streamId).record,
    write: writeIn(name),
  }),
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
      return { state, owedAt };
    case 'held':
      return { state, code: code ?? state, ...unsure };
    default:
      return { state: 'dead', code: code ?? state, ...unsure };
  }
}

function taskEndOf({ state, code, answer }: End): TaskEnd {
  switch (state) {
    case 'done':
      return { state, taskId: (answer as Partial<CreatedTask> | null)?.taskId ?? UNTOLD };
    case 'held':
    case 'late':
    case 'erased':
      return { state };
    default:
      return { state: 'dead', code: code ?? state };
  }
}

// A person has said that a held task exists, and not which it is.
const UNTOLD = 'untold';

/** What an event wants of its record: by itself, and by the write steps that follow a step which it ended. */
interface Told {
  wish?: { properties: Record<string, string>; guard: Guard };
  ended?: {
    recipe: string;
    step: (recipe: Recipe) => string | undefined;
    result: Record<string, unknown>;
    guard: Guard;
  };
}

function routeEvent(
  { envelope, value }: ReadableRecord,
  recipes: readonly Recipe[],
  toldBy: (type: string, data: unknown) => Told,
): Route<RecordInput> {
  const record = recordOf(envelope.subject);
  if (!record) throw new UnreadableRecord(`${envelope.subject} is no record`);
  const { wish, ended } = readable(() => toldBy(envelope.type, value));
  const steps = ended ? stepsAfter(ended, recipes, envelope) : [];
  if (!wish && steps.length === 0) return { ignored: true };
  const inbox = { key: envelope.id, day: envelope.time.slice(0, 10) };
  return { inbox, targets: [targetOf(envelope.tenant, { type: 'told', record, because: envelope.type, wish, steps })] };
}

function stepsAfter(ended: NonNullable<Told['ended']>, recipes: readonly Recipe[], envelope: Envelope): StepDue[] {
  const recipe = recipes.find(({ id }) => id === ended.recipe);
  const name = recipe && ended.step(recipe);
  if (!recipe || name === undefined) return [];
  const { guard, result } = ended;
  const followed = { time: envelope.time, guard, results: { [name]: result }, rootCause: envelope.correlationid };
  return recipe.writes.filter(({ after }) => after === name).map((step) => ({ recipe, step, ...followed }));
}

/** Write steps that no other step comes before follow the change itself. */
function routeChange(change: ReadableRecord, recipes: readonly Recipe[], writerAppId: string): Route<RecordInput> {
  const read = hubspotTriggers(change, recipes, writerAppId);
  if ('error' in read) throw new UnreadableRecord(read.error);
  const steps = read.triggers.flatMap(({ recipe, at, rootCause, failed }): StepDue[] => {
    const followed = { time: at, guard: { at, number: 0, rank: COMPLETED }, results: {}, rootCause };
    const first = recipe.writes.filter(({ after }) => after === undefined);
    return first.map((step) => ({ recipe, step, ...followed, ...(failed ? { failed } : {}) }));
  });
  const [trigger] = read.triggers;
  if (!trigger || steps.length === 0) return { ignored: true };
  const { tenant, record } = trigger;
  const because = change.envelope.type;
  return { inbox: read.inbox, targets: [targetOf(tenant, { type: 'told', record, because, steps })] };
}

const targetOf = (tenant: string, input: RecordInput & { type: 'told' }): Target<RecordInput> => ({
  streamId: streamIdOf({ context: 'record', tenant, record: input.record, name: '' }),
  tenant,
  subject: subjectOf(input.record),
  input,
});

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof UnreadableEvent ? new UnreadableRecord(error.message) : error;
  }
}

// Ranks of a render's states: a late PENDING never overwrites an end, and a video that came after all overrules FAILED.
const PENDING = 1;
const FAILED = 2;
const COMPLETED = 3;

function toldByRender(event: RenderEvent): Told {
  const guard = (rank: number): Guard => ({ at: event.data.triggeredAt, number: event.data.render, rank });
  switch (event.type) {
    case 'RenderSubmitted': {
      const { videoId } = event.data;
      const job: Record<string, string> = videoId === undefined ? {} : { heygen_job_id: videoId };
      return { wish: { properties: { heygen_render_status: 'PENDING', ...job }, guard: guard(PENDING) } };
    }
    case 'RenderCompleted': {
      const { url, videoId, recipe } = event.data;
      const video = { heygen_video_url: url, heygen_job_id: videoId };
      const done = { ...video, heygen_render_status: 'COMPLETED', heygen_render_error: '' };
      const result = { url, video_id: videoId };
      return {
        wish: { properties: done, guard: guard(COMPLETED) },
        ended: { recipe, step: ({ video: step }) => step?.name, result, guard: guard(COMPLETED) },
      };
    }
    case 'RenderFailed': {
      const failed = { heygen_render_status: 'FAILED', heygen_render_error: event.data.code };
      return { wish: { properties: failed, guard: guard(FAILED) } };
    }
    default:
      return {};
  }
}

function toldByEnrichment(event: EnrichmentEvent): Told {
  if (event.type !== 'EnrichmentCompleted') return {};
  const { recipe, answer, triggeredAt, enrichment } = event.data;
  const guard = { at: triggeredAt, number: enrichment, rank: COMPLETED };
  return { ended: { recipe, step: ({ ask }) => ask?.name, result: answer, guard } };
}
